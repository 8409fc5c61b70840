package port

import (
	"levada.dev/infra/cloudflare/object"
	"levada.dev/workflows/speech/book"
)

// NewSpeech reaches each tenant's jobs that speak.
func NewSpeech(ns object.Namespace) *book.Client { return book.NewClient(carrier(ns)) }
