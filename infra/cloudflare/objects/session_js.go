package objects

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"levada.dev/events"
	"levada.dev/infra/cloudflare/isolate"
	"levada.dev/infra/cloudflare/object"
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/chat/book"
)

// RegisterSession registers the class Session: one conversation, whose facts go out through a publisher, and which is
// listed on its tenant's shelf.
func RegisterSession(out events.Publisher, shelf book.Notes, now func() time.Time) {
	object.Register("Session", func(ctx context.Context, st *object.State) (object.Object, error) {
		w, err := newWaker(ctx, st)
		if err != nil {
			return nil, err
		}
		x := &session{state: st, book: book.New(now), shelf: shelf, waker: w, now: now}
		x.relay = &relay{state: st, out: out, now: now, wake: w.by, setAside: setAside}
		found, err := st.SQL().Query(ctx, `SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'rows'`)
		if err != nil {
			return nil, err
		}
		x.kept = found.Next()
		return x, nil
	})
}

// session keeps one conversation's book in the object's database. There is a table once there is something to keep: asking
// for a session that does not exist leaves nothing behind.
type session struct {
	state *object.State
	book  *book.Book
	shelf book.Notes
	waker *waker
	relay *relay
	now   func() time.Time

	erasing sync.RWMutex // held while everything is erased, so that no call begins anew in between
	kept    bool         // there is a table
	telling bool         // the shelf is being told; it is told what is committed meanwhile, too
}

// Call implements object.Object: one method of the book in one transaction.
func (x *session) Call(ctx context.Context, method string, body []byte) ([]byte, error) {
	if method == "ping" {
		return nil, nil
	}
	x.erasing.RLock()
	defer x.erasing.RUnlock()
	if !x.kept && !book.Begins(method) {
		reply, _ := x.book.Call(rows.NewMemory(), method, body) // as everywhere where there is nothing
		return reply, nil
	}
	watch := book.Watch(method)
	if watch > 0 {
		if err := x.waker.by(ctx, x.now().Add(watch)); err != nil {
			return nil, err
		}
	}
	reply, committed, err := x.run(ctx, method, body)
	if err != nil || !committed {
		return reply, err
	}
	if book.Sends(method) {
		x.relay.start(ctx)
	}
	if watch > 0 {
		x.tell(ctx)
	}
	return reply, nil
}

// run is the transaction of a call. It makes the table if there is none, which only the transaction knows for certain.
func (x *session) run(ctx context.Context, method string, body []byte) (reply []byte, committed bool, err error) {
	created := false
	reply, committed, err = serve(ctx, x.state.SQL(), x.book, method, body, func(tx *object.Tx) error {
		if x.kept {
			return nil
		}
		created = true
		_, err := tx.Exec(schema)
		return err
	})
	x.kept = x.kept || created && committed
	return reply, committed, err
}

// Alarm implements object.Alarmer. What was promised goes out before the book looks, which may then find nothing left, and
// after it, for what it found.
func (x *session) Alarm(ctx context.Context, _ int) error {
	return x.waker.ring(ctx, func(ctx context.Context) error {
		if !x.kept {
			return nil
		}
		promised := errors.Join(x.relay.rescue(ctx), x.catchUp(ctx))
		empty, err := x.wake(ctx)
		if empty {
			return x.erase(ctx)
		}
		return errors.Join(promised, err, x.relay.rescue(ctx), x.catchUp(ctx))
	})
}

// wake lets the book do what is due. A table in which nothing is left is dropped with the last row, and that is noted in the
// same transaction: a call that comes right after it makes another.
func (x *session) wake(ctx context.Context) (empty bool, err error) {
	var due book.Due
	err = x.state.SQL().Txn(ctx, func(tx *object.Tx) (err error) {
		if due, err = x.book.Wake(Rows(tx)); err == nil && due.Empty {
			_, err = tx.Exec(`DROP TABLE rows`)
			x.kept = err != nil
		}
		return err
	})
	if err != nil {
		x.kept = true
		return false, err
	}
	if due.Empty {
		return true, nil
	}
	if due.Next.IsZero() {
		return false, nil
	}
	next := due.Next
	if next.Sub(x.now()) > time.Minute { // what is not urgent shares an alarm with what the waker remembers
		next = next.Add(slack - 1).Truncate(slack)
	}
	return false, x.waker.by(ctx, next)
}

// erase gives the storage back.
func (x *session) erase(ctx context.Context) error {
	x.erasing.Lock()
	defer x.erasing.Unlock()
	if x.kept { // it has begun anew
		return nil
	}
	return x.waker.erase(ctx, x.state.DeleteAll)
}

// tell has the shelf told while the answer is on its way. When that fails it is the alarm's business, not the caller's.
func (x *session) tell(ctx context.Context) {
	if x.telling {
		return
	}
	x.telling = true
	err := isolate.Go(ctx, func(ctx context.Context) {
		if err := x.inform(ctx); err != nil {
			slog.WarnContext(ctx, "shelf not told; the alarm tries again", "object", x.state.Name, "error", err)
		}
	})
	if err != nil { // the event of this call is over; the alarm is set
		x.telling = false
	}
}

// catchUp is the alarm's part.
func (x *session) catchUp(ctx context.Context) error {
	if x.telling {
		return x.waker.by(ctx, x.now().Add(rescue))
	}
	x.telling = true
	return x.inform(ctx)
}

// inform tells the shelf until it knows the session as it is. That it does is seen and noted in one transaction: a call
// that commits after it finds nobody telling, and starts anew.
func (x *session) inform(ctx context.Context) error {
	for {
		var (
			s    tenants.Scope
			note book.Note
			due  bool
		)
		err := x.state.SQL().Txn(ctx, func(tx *object.Tx) (err error) {
			s, note, due, err = x.book.Note(Rows(tx))
			x.telling = due && err == nil
			return err
		})
		if err == nil && !due {
			return nil
		}
		if err == nil {
			err = x.shelf.Put(ctx, s, note)
		}
		if err != nil {
			x.telling = false
			return errors.Join(err, x.waker.by(ctx, x.now().Add(retryAfter)))
		}
		x.book.Told(note.Version)
	}
}
