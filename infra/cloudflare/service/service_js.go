package service

import (
	"net/http"

	"levada.dev/infra/cloudflare/isolate"
)

// Service is a Worker that another one binds.
type Service struct{ binding string }

// Open returns the Worker behind a binding. Nothing is asked before a request is sent.
func Open(binding string) Service { return Service{binding} }

// Do sends a request to the Worker's fetch handler. Both bodies stream, at the same time if need be: the answer may begin before the request's body
// has ended, and what is written to that goes out as it comes. So a request and its answer can be a conversation. The caller closes the answer's
// body. The request's context ends both.
func (s Service) Do(req *http.Request) (*http.Response, error) {
	if req.Body != nil && req.Body != http.NoBody {
		req = req.Clone(req.Context())
		req.Body = isolate.Live{ReadCloser: req.Body}
	}
	return isolate.Fetch(req, s.binding)
}
