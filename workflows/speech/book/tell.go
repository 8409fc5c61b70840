package book

import (
	"strconv"
	"strings"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/events/outbox"
	"levada.dev/tenants/call"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/job"
)

// requested begins the last part of the name of a request in the outbox.
const requested = "requested"

// request tells that a take is to be made.
func (c *change) request(t *take) error {
	return c.tell(t, requested+strconv.Itoa(t.Try), t.Cause, events.SpeechRequested{SpeechRef: t.ref(), Parts: t.Cuts, Try: t.Try})
}

// done tells that jobs have their sound.
func (c *change) done(t *take, tape tapeRow, nanos int64, cause events.Cause, jobs []string) error {
	return c.tell(t, "done."+jobs[0], cause, events.SpeechSynthesized{
		SpeechRef: t.ref(), Jobs: jobs, Bytes: tape.Tape.Bytes(), DurationMS: tape.Tape.Duration().Milliseconds(), CostNanos: nanos,
	})
}

// lost tells that jobs will not have any.
func (c *change) lost(t *take, jobs []string) error {
	return c.tell(t, "failed", t.Cause, events.SpeechFailed{SpeechRef: t.ref(), Jobs: jobs, Code: t.Error.Code, Message: t.Error.Message})
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
	f, c := fault.As(reason), b.begin(tx, s)
	if err := c.end(t, &job.Problem{Stage: "speak", Code: f.Code, Message: f.Message}); err != nil {
		return err
	}
	return c.close()
}
