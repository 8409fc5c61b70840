package port

import (
	"context"
	"encoding/json"
	"net/url"

	"levada.dev/consumers"
	"levada.dev/events/fault"
	"levada.dev/infra/cloudflare/r2"
)

// Letters keeps dead letters in R2, by queue and message id.
type Letters struct{ bucket r2.Bucket }

var _ consumers.Letters = Letters{}

// NewLetters keeps letters in a bucket.
func NewLetters(b r2.Bucket) Letters { return Letters{b} }

// Keep implements consumers.Letters.
func (l Letters) Keep(ctx context.Context, ls []consumers.Letter) error {
	for _, letter := range ls {
		body, err := json.Marshal(letter)
		if err != nil {
			return fault.New(fault.Internal, "letter_encoding", letter.MessageID, err)
		}
		key := "letters/" + letter.Queue + "/" + url.PathEscape(letter.MessageID)
		if _, err := l.bucket.Put(ctx, key, body, &r2.PutOptions{ContentType: "application/json"}); err != nil {
			return fault.Unavailablef(err, "store_unavailable", "the object store did not take a dead letter")
		}
	}
	return nil
}
