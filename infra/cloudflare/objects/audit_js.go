package objects

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"time"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/infra/cloudflare/object"
	"levada.dev/infra/cloudflare/r2"
	"levada.dev/tenants"
	"levada.dev/tenants/call"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/trail/book"
)

// RegisterAudit registers the class Audit, a tenant's record of what happened, which is exported to the bucket.
func RegisterAudit(bucket r2.Bucket, now func() time.Time) {
	object.Register("Audit", func(ctx context.Context, st *object.State) (object.Object, error) {
		if err := MakeRows(ctx, st); err != nil {
			return nil, err
		}
		if err := chainOld(ctx, st); err != nil {
			return nil, err
		}
		w, err := newWaker(ctx, st)
		if err != nil {
			return nil, err
		}
		return &auditTrail{state: st, bucket: bucket, now: now, waker: w}, nil
	})
}

// exportEvery is how long an entry waits at most until it is exported.
const exportEvery = time.Hour

// auditTrail keeps one tenant's chain in the object's database.
type auditTrail struct {
	state  *object.State
	bucket r2.Bucket
	book   book.Book
	now    func() time.Time
	waker  *waker
}

// Call implements object.Object: one method of the book in one transaction. What is appended is exported at the end of the hour, or at once
// when it is much, or when an erasure has taken what was there.
func (a *auditTrail) Call(ctx context.Context, method string, body []byte) ([]byte, error) {
	if method == "ping" {
		return nil, nil
	}
	if book.Appends(method) {
		if err := a.waker.by(ctx, a.now().Truncate(exportEvery).Add(exportEvery)); err != nil {
			return nil, err
		}
	}
	reply, _, err := serve(ctx, a.state.SQL(), &a.book, method, body, nil)
	if err != nil {
		return nil, err
	}
	if done := book.Told(reply); done.Waiting >= book.SegmentLines || done.Dirty {
		err = a.waker.by(ctx, a.now())
	}
	return reply, err
}

// Alarm implements object.Alarmer. An export that fails is tried again until it does not: the platform gives up after six times.
func (a *auditTrail) Alarm(ctx context.Context, _ int) error {
	return a.waker.ring(ctx, func(ctx context.Context) error {
		err := a.tidy(ctx)
		if err == nil {
			return nil
		}
		slog.WarnContext(ctx, "audit trail not exported; it is tried again", "object", a.state.Name, "error", err)
		return a.waker.by(ctx, a.now().Add(tendAgain))
	})
}

func (a *auditTrail) tidy(ctx context.Context) error {
	txn := func(f func(tx rows.Tx) error) error {
		return a.state.SQL().Txn(ctx, func(tx *object.Tx) error { return f(Rows(tx)) })
	}
	var s tenants.Scope
	if err := txn(func(tx rows.Tx) (err error) {
		s, err = call.Owner(tx)
		return err
	}); err != nil || s.Check() != nil { // or nothing was ever appended
		return err
	}
	return book.Tidy(s, txn, segments{ctx, a.bucket})
}

// segments is where the bucket keeps them.
type segments struct {
	ctx    context.Context
	bucket r2.Bucket
}

// Put implements book.Segments.
func (x segments) Put(key string, body []byte) error {
	if _, err := x.bucket.Put(x.ctx, key, body, &r2.PutOptions{ContentType: "application/x-ndjson"}); err != nil {
		return fault.Unavailablef(err, "store_unavailable", "the object store did not take a segment")
	}
	return nil
}

// Remove implements book.Segments.
func (x segments) Remove(prefix string, gone func(key string) bool) error {
	for cursor := ""; ; {
		found, err := x.bucket.List(x.ctx, &r2.ListOptions{Prefix: prefix, Cursor: cursor})
		if err != nil {
			return fault.Unavailablef(err, "store_unavailable", "the object store did not list segments")
		}
		var keys []string
		for _, o := range found.Objects {
			if gone(o.Key) {
				keys = append(keys, o.Key)
			}
		}
		if len(keys) > 0 {
			if err := x.bucket.Delete(x.ctx, keys...); err != nil {
				return fault.Unavailablef(err, "store_unavailable", "the object store did not remove segments")
			}
		}
		if cursor = found.Cursor; cursor == "" {
			return nil
		}
	}
}

// chainOld chains the entries of a trail that was begun before there was a chain, in their order, and drops the table that they are in.
func chainOld(ctx context.Context, st *object.State) error {
	return st.SQL().Txn(ctx, func(tx *object.Tx) error {
		table, err := tx.Query(`SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'entries'`)
		if err != nil || !table.Next() {
			return err
		}
		found, err := tx.Query(`SELECT entry FROM entries ORDER BY seq`)
		if err != nil {
			return err
		}
		var entries []events.AuditEntry
		for found.Next() {
			var text string
			if err := found.Scan(&text); err != nil {
				return err
			}
			var e events.AuditEntry
			if err := json.Unmarshal([]byte(text), &e); err != nil {
				return err
			}
			entries = append(entries, e)
		}
		if len(entries) > 0 {
			tenant, _, _ := strings.Cut(strings.TrimPrefix(entries[0].Source, "/tenants/"), "/")
			s, err := tenants.Resume(tenant)
			if err != nil {
				return err
			}
			if _, err := new(book.Book).Append(Rows(tx), s, entries); err != nil {
				return err
			}
		}
		_, err = tx.Exec(`DROP TABLE entries`)
		return err
	})
}
