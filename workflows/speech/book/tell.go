package book

import (
	"slices"
	"strconv"
	"strings"

	"levada.dev/events"
	"levada.dev/events/outbox"
	"levada.dev/tenants/call"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/speech"
)

// requested begins the last part of the name of a request in the outbox.
const requested = "requested"

// request tells that a take is to be made.
func (c *change) request(t *take) error {
	return c.tell(t, requested+strconv.Itoa(t.Try), t.Cause, events.SpeechRequested{SpeechRef: t.ref(), Parts: t.Cuts, Try: t.Try})
}

// toldAtOnce is how many jobs one event names: whoever tells of them has to be done with all of them before its message comes again.
const toldAtOnce = 25

// done tells that jobs have their sound, and who spoke it in which format, whatever was ordered. The first event has what it cost.
func (c *change) done(t *take, tape tapeRow, nanos int64, cause events.Cause, jobs []string) error {
	ref := t.ref()
	ref.Model, ref.Voice, ref.Format = tape.Tape.Model, tape.Tape.Voice, string(tape.Tape.Format)
	for some := range slices.Chunk(jobs, toldAtOnce) {
		if err := c.tell(t, "done."+some[0], cause, events.SpeechSynthesized{
			SpeechRef: ref, Jobs: some, Bytes: tape.Tape.Bytes(), DurationMS: tape.Tape.Duration().Milliseconds(), CostNanos: nanos,
		}); err != nil {
			return err
		}
		nanos = 0
	}
	return nil
}

// lost tells that jobs will not have any.
func (c *change) lost(t *take, jobs []string) error {
	for some := range slices.Chunk(jobs, toldAtOnce) {
		if err := c.tell(t, "failed."+some[0], t.Cause, events.SpeechFailed{SpeechRef: t.ref(), Jobs: some, Code: t.Error.Code, Message: t.Error.Message}); err != nil {
			return err
		}
	}
	return nil
}

// tell takes a fact about a take into the outbox. What happened first goes first.
func (c *change) tell(t *take, what string, cause events.Cause, f events.Fact) error {
	ev, err := events.New(c.s, worker, cause, c.at, f)
	if err != nil {
		return err
	}
	return outbox.Put(c.tx, digits(c.now)+"."+t.id()+"."+what, ev)
}

// SetAside takes an event that can never be sent out of the others' way. The row is kept for operators; a take that was asked for by it fails.
func (b *Book) SetAside(tx rows.Tx, id string, reason error) error {
	if found, err := outbox.SetAside(tx, id); err != nil || !found {
		return err
	}
	name := strings.SplitN(id, ".", 3)
	if len(name) < 3 || !strings.HasPrefix(name[2], requested) {
		return nil
	}
	t, err := findTake(tx, name[1])
	if err != nil || t == nil || !t.live() {
		return err
	}
	s, err := call.Owner(tx)
	if err != nil {
		return err
	}
	c := b.begin(tx, s)
	if err := c.end(t, speech.Problem(reason)); err != nil {
		return err
	}
	return c.close()
}
