package port

import (
	"context"
	"encoding/json"
	"net/url"

	"levada.dev/events/fault"
	"levada.dev/infra/cloudflare/object"
	"levada.dev/infra/cloudflare/r2"
	"levada.dev/tenants"
	"levada.dev/workflows/letters"
	"levada.dev/workflows/letters/book"
)

// NewLetters reaches each tenant's box of dead letters.
func NewLetters(ns object.Namespace) *book.Client {
	return book.NewClient(carrier(ns))
}

// Unread keeps dead letters in R2, by queue and id: those that name no tenant below letters/, others among what is the tenant's.
type Unread struct{ bucket r2.Bucket }

var _ letters.Unread = Unread{}

// NewUnread keeps letters in a bucket.
func NewUnread(b r2.Bucket) Unread { return Unread{b} }

// Keep implements letters.Unread.
func (u Unread) Keep(ctx context.Context, ls []letters.Letter) error {
	for _, letter := range ls {
		body, err := json.Marshal(letter)
		if err != nil {
			return fault.New(fault.Internal, "letter_encoding", letter.ID, err)
		}
		key := "letters/" + letter.Queue + "/" + url.PathEscape(letter.ID)
		if letter.Tenant != "" {
			s, err := tenants.Resume(string(letter.Tenant))
			if err != nil {
				return err
			}
			key = s.Key("letters", letter.Queue, letter.ID) // where the tenant's erasure finds it
		}
		if _, err := u.bucket.Put(ctx, key, body, &r2.PutOptions{ContentType: "application/json"}); err != nil {
			return fault.Unavailablef(err, "store_unavailable", "the object store did not take a dead letter")
		}
	}
	return nil
}
