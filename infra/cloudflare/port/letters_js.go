package port

import (
	"context"
	"encoding/json"
	"errors"
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

var _ letters.Pile = Unread{}

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
			key = strandedKey(s, letter) // where the tenant's erasure finds it
		}
		if _, err := u.bucket.Put(ctx, key, body, &r2.PutOptions{ContentType: "application/json"}); err != nil {
			return fault.Unavailablef(err, "store_unavailable", "the object store did not take a dead letter")
		}
	}
	return nil
}

func strandedKey(s tenants.Scope, l letters.Letter) string { return s.Key("letters", l.Queue, l.ID) }

// Stranded implements letters.Pile.
func (u Unread) Stranded(ctx context.Context, s tenants.Scope, limit int) ([]letters.Letter, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	found, err := u.bucket.List(ctx, &r2.ListOptions{Prefix: s.Key("letters") + "/", Limit: limit})
	if err != nil {
		return nil, fault.Unavailablef(err, "store_unavailable", "the object store did not answer")
	}
	var ls []letters.Letter
	for _, o := range found.Objects {
		_, body, err := u.bucket.ReadAll(ctx, o.Key)
		if errors.Is(err, r2.ErrNotFound) { // somebody else has brought it home
			continue
		}
		if err != nil {
			return nil, fault.Unavailablef(err, "store_unavailable", "the object store did not answer")
		}
		var l letters.Letter
		if err := json.Unmarshal(body, &l); err != nil {
			return nil, fault.New(fault.Internal, "letter_encoding", o.Key, err)
		}
		ls = append(ls, l)
	}
	return ls, nil
}

// Drop implements letters.Pile.
func (u Unread) Drop(ctx context.Context, s tenants.Scope, ls []letters.Letter) error {
	if err := s.Check(); err != nil || len(ls) == 0 {
		return err
	}
	keys := make([]string, len(ls))
	for i, l := range ls {
		keys[i] = strandedKey(s, l)
	}
	if err := u.bucket.Delete(ctx, keys...); err != nil {
		return fault.Unavailablef(err, "store_unavailable", "the object store did not remove dead letters")
	}
	return nil
}
