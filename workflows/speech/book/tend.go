package book

import (
	"context"
	"errors"
	"fmt"
	"time"

	"levada.dev/tenants"
	"levada.dev/tenants/call"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/job"
	"levada.dev/workflows/speech"
)

const (
	// dropAtOnce is how many reels are removed before the next look: each takes calls of the store.
	dropAtOnce = 100
	// dropAgain is after which time a reel is tried again that could not be removed.
	dropAgain = time.Hour
	// forgetAtOnce is how many jobs one transaction forgets.
	forgetAtOnce = 200
	// tendEvery is the grain of the times at which old things are removed, so that many share a look. They stay for so much longer at most.
	tendEvery = time.Hour
)

// Tend looks after what should have happened by now: takes of which nothing was heard are told again, sounds that have expired are dropped, and what is old is
// forgotten, each in transactions of its own. It says when to look again; zero when there is nothing to look after.
func (b *Book) Tend(ctx context.Context, txn func(func(tx rows.Tx) error) error, sounds speech.Sounds) (next time.Time, err error) {
	err = errors.Join(txn(b.Late), b.drop(ctx, txn, sounds), b.forget(txn))
	if err != nil {
		return time.Time{}, err
	}
	err = txn(func(tx rows.Tx) (err error) {
		next, err = b.next(tx)
		return err
	})
	return next, err
}

// Late tells takes again of which nothing was heard for too long, and ends those for which that was of no use.
func (b *Book) Late(tx rows.Tx) error {
	s, err := call.Owner(tx)
	if err != nil || s.Check() != nil { // or nothing was ever ordered
		return err
	}
	c := b.begin(tx, s)
	r, err := c.desk()
	if err != nil {
		return err
	}
	for _, id := range append([]string{}, r.Making...) { // who ends leaves it
		if err := c.late(id); err != nil {
			return err
		}
	}
	return c.close()
}

// stuck is why a take fails of which nobody ever hears.
var stuck = job.Problem{Stage: "speak", Code: "stuck", Message: "nothing was heard of it, however often it was asked for"}

func (c *change) late(id string) error {
	t, err := findTake(c.tx, id)
	if err != nil {
		return err
	}
	if t == nil { // whoever waits has its turn
		return errors.Join(c.gone(id), c.admit())
	}
	tape, err := tapeOf(c.tx, t)
	if err != nil || c.now < t.late(tape) {
		return err
	}
	queued := t.queued(tape)
	if n := len(tape.Tape.Parts); n > t.Heard {
		t.Heard, t.Silent = n, 0
	}
	switch {
	case queued && t.Queued == speech.QueuedTries, !queued && t.Silent == speech.Tries:
		return c.end(t, &stuck)
	case queued:
		t.Queued++
	default:
		t.Queued = 0
		t.Silent++
	}
	return c.anew(t)
}

// anew has the queue make a take that was asked for before, or that was spoken directly.
func (c *change) anew(t *take) error {
	t.Try++
	t.Asked, t.Direct, t.News = t.Claim, "", c.now
	return errors.Join(c.write(t), c.request(t))
}

// queued reports whether a take only waits in the queue: nobody has claimed it, nor spoken any of it, since it was last asked for.
func (t *take) queued(tape tapeRow) bool {
	return t.Claim == t.Asked && len(tape.Tape.Parts) <= t.Heard
}

// late is when it is asked for again. One that only waits in the queue is no sooner made for being there twice.
func (t *take) late(tape tapeRow) int64 {
	after := speech.Late
	if t.queued(tape) {
		after = speech.QueuedLate
	}
	return max(t.News, tape.News) + after.Milliseconds()
}

// reel is what is to be dropped.
type reel struct {
	owner tenants.Scope
	take  string
	name  string
}

// drop drops the sounds that nobody can ask for any more.
func (b *Book) drop(ctx context.Context, txn func(func(tx rows.Tx) error) error, sounds speech.Sounds) error {
	var due []reel
	if err := txn(func(tx rows.Tx) (err error) {
		due, err = b.garbage(tx, dropAtOnce)
		return err
	}); err != nil {
		return err
	}
	var failed error
	for _, r := range due {
		err := dropReel(ctx, r, sounds)
		note := b.dropped
		if err != nil {
			note = b.putOff
		}
		failed = errors.Join(failed, err, txn(func(tx rows.Tx) error { return note(tx, r) })) // the others are dropped all the same
	}
	return failed
}

func dropReel(ctx context.Context, r reel, sounds speech.Sounds) error {
	for more := true; more; {
		var err error
		if more, err = sounds.Drop(ctx, r.owner, r.name); err != nil {
			return err
		}
	}
	return nil
}

// garbage are reels that are to be dropped by now. Nobody goes on with them: see take.kept.
func (b *Book) garbage(tx rows.Tx, limit int) ([]reel, error) {
	s, err := call.Owner(tx)
	if err != nil {
		return nil, err
	}
	found, err := tx.Range(garbagePrefix, garbagePrefix+digits(b.now().UnixMilli()+1), limit)
	if err != nil {
		return nil, fmt.Errorf("speech: range: %w", err)
	}
	var due []reel
	for _, row := range found {
		_, id := timed(row.Key)
		t, err := findTake(tx, id)
		if err != nil {
			return nil, err
		}
		if t == nil { // it was cleared, and with it its sounds
			if err := tx.Delete(row.Key); err != nil {
				return nil, fmt.Errorf("speech: delete: %w", err)
			}
			continue
		}
		due = append(due, reel{owner: s, take: id, name: t.Reel})
	}
	return due, nil
}

// dropped notes that a take has no sounds any more, and when it is forgotten.
func (b *Book) dropped(tx rows.Tx, r reel) error {
	t, err := findTake(tx, r.take)
	if err != nil || t == nil || t.Forget != 0 {
		return err
	}
	c := b.begin(tx, r.owner)
	return errors.Join(c.remove(t.garbage()), c.forgetLater(t), c.write(t))
}

// putOff has what could not be dropped wait, so that those behind it have their turn.
func (b *Book) putOff(tx rows.Tx, r reel) error {
	t, err := findTake(tx, r.take)
	if err != nil || t == nil || t.Forget != 0 {
		return err
	}
	c := b.begin(tx, r.owner)
	was := t.garbage()
	t.Later = c.at.Add(dropAgain).UnixMilli()
	return errors.Join(c.remove(was), c.put(t.garbage()), c.write(t))
}

// What is to be forgotten, as its row says.
const (
	aTake = "t"
	aJob  = "j"
)

// forgetLater notes when a take is forgotten, with the jobs that it has. The take is the caller's to write.
func (c *change) forgetLater(t *take) error {
	t.Forget = max(t.Due, t.Ended) + speech.Life.Milliseconds()
	if err := c.tx.Put(forgetKey(t.Forget, t.id()), []byte(aTake)); err != nil {
		return fmt.Errorf("speech: put: %w", err)
	}
	return nil
}

// forgetJob notes when a job is forgotten that was cancelled.
func (c *change) forgetJob(id string, j jobRow) error {
	if err := c.tx.Put(forgetKey(j.forget(), id), []byte(aJob)); err != nil {
		return fmt.Errorf("speech: put: %w", err)
	}
	return nil
}

// forget forgets what is old, piece by piece.
func (b *Book) forget(txn func(func(tx rows.Tx) error) error) error {
	for more := true; more; {
		if err := txn(func(tx rows.Tx) (err error) {
			more, err = b.forgetSome(tx, forgetAtOnce)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// forgetSome forgets so many jobs and keys at most, and reports whether there is more.
func (b *Book) forgetSome(tx rows.Tx, limit int) (more bool, err error) {
	c := b.begin(tx, tenants.Scope{}) // which tells nothing
	keys, err := c.forgetReceipts(limit)
	if err != nil {
		return false, err
	}
	found, err := tx.Range(forgetPrefix, forgetPrefix+digits(c.now+1), limit)
	if err != nil {
		return false, fmt.Errorf("speech: range: %w", err)
	}
	left := limit
	for _, row := range found {
		_, id := timed(row.Key)
		n := 1
		if string(row.Value) == aJob {
			err = c.remove(jobPrefix+id, row.Key)
		} else {
			n, err = c.forgetTake(id, row.Key, left)
		}
		if left -= n; err != nil || left <= 0 {
			return true, err
		}
	}
	return keys == limit || len(found) == limit, nil
}

// forgetTake forgets a take, or so many of its jobs, if there are more, and says how many.
func (c *change) forgetTake(id, key string, limit int) (int, error) {
	prefix := memberKey(id, "")
	found, err := c.tx.Scan(prefix, limit)
	if err != nil {
		return 0, fmt.Errorf("speech: scan: %w", err)
	}
	for _, row := range found {
		if err := c.remove(jobPrefix+row.Key[len(prefix):], row.Key); err != nil {
			return 0, err
		}
	}
	if len(found) == limit {
		return limit, nil
	}
	t, err := findTake(c.tx, id)
	if err != nil || t == nil {
		return len(found) + 1, errors.Join(err, c.remove(key))
	}
	return len(found) + 1, c.removeTake(t)
}

// removeTake removes the rows of a take.
func (c *change) removeTake(t *take) error {
	id := t.id()
	return c.remove(t.key(), textPrefix+id, cutsPrefix+id, tapePrefix+id, t.garbage(), forgetKey(t.Forget, id))
}

// next is when to look again.
func (b *Book) next(tx rows.Tx) (next time.Time, err error) {
	c := b.begin(tx, tenants.Scope{}) // which tells nothing
	sooner := func(at time.Time) {
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	r, err := c.desk()
	if err != nil {
		return next, err
	}
	for _, id := range r.Making {
		t, err := findTake(tx, id)
		if err != nil {
			return next, err
		}
		if t == nil {
			continue
		}
		tape, err := tapeOf(tx, t)
		if err != nil {
			return next, err
		}
		sooner(utc(t.late(tape)))
	}
	for _, prefix := range []string{garbagePrefix, forgetPrefix} {
		found, err := tx.Scan(prefix, 1)
		if err != nil {
			return next, fmt.Errorf("speech: scan: %w", err)
		}
		if len(found) > 0 {
			ms, _ := timed(found[0].Key)
			sooner(utc(ms).Truncate(tendEvery).Add(tendEvery))
		}
	}
	keys, err := tx.Scan(receiptPrefix, 1)
	if err != nil {
		return next, fmt.Errorf("speech: scan: %w", err)
	}
	if len(keys) > 0 {
		sooner(c.at.Truncate(receiptLife).Add(receiptLife + tendEvery))
	}
	if !next.IsZero() && next.Before(c.at) { // there is more than one look removes
		next = c.at
	}
	return next, nil
}
