package book

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/speech"
)

const (
	maxID  = 64    // bytes of a job's id
	maxKey = 1_000 // and of an idempotency key
	// few cuts are in the take's own row.
	few = 8
	// maxCutsBytes is how long the row of many may be; SQLite's rows have 2 MB at most, which is more than any text has.
	// https://developers.cloudflare.com/durable-objects/platform/limits/
	maxCutsBytes = 1_500_000
)

// Open implements speech.Desk.
func (b *Book) Open(tx rows.Tx, s tenants.Scope, o speech.Opening) (speech.Opened, error) {
	if err := check(o); err != nil {
		return speech.Opened{}, err
	}
	c := b.begin(tx, s)
	id, err := c.again(o)
	if err != nil {
		return speech.Opened{}, err
	}
	again := id != ""
	if !again {
		id = o.ID
		err = c.open(o)
	}
	if err != nil {
		return speech.Opened{}, err
	}
	j, t, err := findJob(tx, id)
	if err != nil {
		return speech.Opened{}, err
	}
	claim, err := c.direct(o, t)
	if err != nil {
		return speech.Opened{}, err
	}
	if err := c.close(); err != nil {
		return speech.Opened{}, err
	}
	told, err := b.told(tx, id, j, t)
	return speech.Opened{Job: told, Claim: claim, Again: again}, err
}

func check(o speech.Opening) error {
	switch {
	case o.ID == "" || len(o.ID) > maxID || strings.ContainsAny(o.ID, "/."):
		return fault.Invalidf("id", speech.CodeInvalid, "%.80q cannot name a job", o.ID)
	case o.Keep < time.Millisecond:
		return fault.Invalidf("keep", speech.CodeInvalid, "is required")
	case len(o.Key) > maxKey || o.Key != "" && o.Hash == "":
		return fault.Invalidf("key", "idempotency_key_invalid", "is not 1 to %d bytes long, or comes without a hash", maxKey)
	case o.Order.Model == "" || o.Order.Voice == "" || o.Order.Format == "" || o.Order.Speed < 1:
		return fault.Invalidf("order", speech.CodeInvalid, "model, voice, format and speed are required")
	case o.Order.Chars() > speech.MaxText:
		return fault.Invalidf("text", "text_too_long", "has %d characters; %d are taken", o.Order.Chars(), speech.MaxText)
	case len(o.Cuts) == 0 || len(o.Cuts) > speech.MaxParts:
		return fault.Invalidf("text", "text_too_long", "is cut into %d parts; 1 to %d are spoken", len(o.Cuts), speech.MaxParts).WithHint("make several jobs of it")
	}
	at := 0
	for _, cut := range o.Cuts {
		if cut.From < at || cut.To <= cut.From || cut.To > len(o.Order.Text) || cut.Chars < 1 {
			return fault.Invalidf("cuts", speech.CodeInvalid, "%d to %d is no part of the text", cut.From, cut.To)
		}
		at = cut.To
	}
	return nil
}

// again is the job that an opening has opened before; empty when there is none.
func (c *change) again(o speech.Opening) (id string, err error) {
	if o.Key != "" {
		if id, err = c.receiptOf(o.Key, o.Hash); err != nil || id != "" {
			return id, err
		}
	}
	var j jobRow
	found, err := rows.Read(c.tx, jobPrefix+o.ID, &j)
	if err != nil || !found {
		return "", err
	}
	if digest, _, _ := strings.Cut(j.Take, "-"); digest != o.Order.Digest() {
		return "", fault.New(fault.Conflict, "idempotency_conflict", "the id belongs to another job", nil).WithHint("give each job an id of its own")
	}
	return o.ID, nil
}

// open opens a job: of the newest take of its order, if that is to be had, else of a new one.
func (c *change) open(o speech.Opening) error {
	t, err := newest(c.tx, o.Order.Digest())
	if err != nil {
		return err
	}
	there, err := c.shared(t)
	if err != nil {
		return err
	}
	j := jobRow{Opened: c.now, Shared: true}
	switch {
	case t != nil && t.live():
		err = c.join(t, o)
	case there:
		err = c.has(t, o)
	case o.OnlyShared:
		err = fault.New(fault.Conflict, speech.CodeUnshared, "there is no take of an equal order", nil).WithHint("open the job without OnlyShared")
	default:
		j.Shared = false
		t, err = c.begun(t, o)
	}
	if err != nil {
		return err
	}
	j.Take = t.id()
	if err := errors.Join(rows.Write(c.tx, jobPrefix+o.ID, j), c.put(memberKey(t.id(), o.ID)), c.admit()); err != nil {
		return err
	}
	if o.Key == "" {
		return nil
	}
	return c.keepReceipt(o.Key, o.Hash, o.ID)
}

// standIn is for how long a sound by the fallback stands for the one that was asked for, as the model may still be away.
const standIn = time.Hour

// shared reports whether there is the sound of a take for whoever asks for it now. One by the fallback is not what was asked for: it is given to those
// who ask while the model is away, and is kept for them; after that the order is made anew.
func (c *change) shared(t *take) (bool, error) {
	if t == nil || t.State != succeeded || !t.kept(c.now) {
		return false, nil
	}
	if c.now < t.Ended+standIn.Milliseconds() {
		return true, nil
	}
	tape, err := tapeOf(c.tx, t)
	return tape.Tape.Model == t.Order.Model, err
}

// newest is the last take of an order; nil when there was none.
func newest(tx rows.Tx, digest string) (*take, error) {
	found, err := tx.Reverse(takePrefix+digest+"/", takePrefix+digest+"/"+end, 1)
	if err != nil {
		return nil, fmt.Errorf("speech: reverse: %w", err)
	}
	if len(found) == 0 {
		return nil, nil
	}
	n, err := strconv.Atoi(strings.TrimPrefix(found[0].Key, takePrefix+digest+"/"))
	if err != nil {
		return nil, fmt.Errorf("speech: take: %w", err)
	}
	return findTake(tx, digest+"-"+strconv.Itoa(n))
}

// join adds a job to those that wait for a take.
func (c *change) join(t *take, o speech.Opening) error {
	if t.Jobs >= speech.MaxShared {
		return errBacklog("jobs wait for the same text", speech.MaxShared)
	}
	t.Jobs++
	t.Keep = max(t.Keep, o.Keep.Milliseconds())
	return c.write(t)
}

// has tells a job that has its sound already, which is kept for as long as it asks from now.
func (c *change) has(t *take, o speech.Opening) error {
	tape, err := tapeOf(c.tx, t)
	if err != nil {
		return err
	}
	if due := c.now + o.Keep.Milliseconds(); due > t.Due {
		was := t.garbage()
		t.Due = due
		if err := errors.Join(c.remove(was), c.put(t.garbage()), c.write(t)); err != nil {
			return err
		}
	}
	return c.done(t, tape, 0, o.Cause, []string{o.ID})
}

// begun is a new take of an order, which goes on with what a last one that has failed has left.
func (c *change) begun(last *take, o speech.Opening) (*take, error) {
	t := &take{
		digest: o.Order.Digest(), number: 1, Order: o.Order, Chars: o.Order.Chars(), Cuts: len(o.Cuts), Keep: o.Keep.Milliseconds(), Jobs: 1,
		Cause: o.Cause, Opened: c.now, News: c.now,
	}
	t.Order.Text = ""
	if last != nil {
		t.number = last.number + 1
	}
	t.Reel = t.id()
	if err := c.keep(t, o); err != nil {
		return nil, err
	}
	if last != nil && last.State == failed && last.kept(c.now) {
		if err := c.inherit(t, last, o.Cuts); err != nil {
			return nil, err
		}
	}
	r, err := c.desk()
	if err != nil {
		return nil, err
	}
	n, err := c.free(r)
	if err != nil {
		return nil, err
	}
	switch {
	case o.Direct: // is let in where it is claimed
		err = c.enter(t)
	case n > 0 && r.Waiting == 0:
		err = errors.Join(c.enter(t), c.request(t))
	default:
		err = c.queue(t)
	}
	if err != nil {
		return nil, err
	}
	return t, c.write(t)
}

// keep keeps what is long of a take in rows of their own.
func (c *change) keep(t *take, o speech.Opening) error {
	if err := c.tx.Put(textPrefix+t.id(), []byte(o.Order.Text)); err != nil {
		return fmt.Errorf("speech: put: %w", err)
	}
	if len(o.Cuts) <= few {
		t.Few = o.Cuts
		return nil
	}
	all, err := json.Marshal(o.Cuts)
	if err != nil {
		return fmt.Errorf("speech: cuts: %w", err)
	}
	if len(all) > maxCutsBytes {
		return fault.Invalidf("text", "text_too_long", "has headings of %d bytes; there is room for %d", len(all), maxCutsBytes).WithHint("make several jobs of it")
	}
	if err := c.tx.Put(cutsPrefix+t.id(), all); err != nil {
		return fmt.Errorf("speech: put: %w", err)
	}
	return nil
}

// inherit gives a take what is kept of the last one, if that was cut as it is.
func (c *change) inherit(t, last *take, now []speech.Cut) error {
	was, err := cuts(c.tx, last)
	if err != nil || !slices.Equal(was, now) {
		return err
	}
	tape, err := tapeOf(c.tx, last)
	if err != nil || len(tape.Tape.Parts) == 0 {
		return err
	}
	t.Reel = last.Reel
	due := last.garbage()
	last.Due = c.now
	tape.News, tape.Cost = 0, speech.Cost{}
	t.Heard = len(tape.Tape.Parts)
	return errors.Join(rows.Write(c.tx, tapePrefix+t.id(), tape), c.remove(due), c.forgetLater(last), c.write(last))
}

// direct claims a take for the job that is to be spoken directly, if nobody makes it, or that job itself, which has not heard that it does.
func (c *change) direct(o speech.Opening, t *take) (*speech.Claim, error) {
	unclaimed := t.Claim == 0 || t.Direct == o.ID
	if !o.Direct || !t.live() || !unclaimed {
		return nil, nil
	}
	r, err := c.desk()
	if err != nil {
		return nil, err
	}
	if len(r.Making) > maxMaking {
		return nil, errBacklog("texts are spoken", maxMaking)
	}
	if t.State == waiting {
		if err := c.enter(t); err != nil {
			return nil, err
		}
	}
	claim, err := c.claim(t, o.ID)
	return &claim, errors.Join(err, c.admit()) // whose turn this was, if it was anybody's
}
