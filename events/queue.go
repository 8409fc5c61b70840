package events

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// What a queue takes. 1 KB is 1,000 bytes there, and about 100 bytes of each message are the platform's own.
// https://developers.cloudflare.com/queues/platform/limits/
const (
	MaxMessageBytes  = 128_000 - messageOverhead - 900 // with some air for how the platform counts
	MaxBatchBytes    = 256_000 - 4_000
	MaxBatchMessages = 100

	messageOverhead = 100
)

// maxAuditEntries bounds one EventRecorded. An entry is less than 1 KB unless its envelope is unusual; the bytes
// are checked, too.
const maxAuditEntries = 100

// QueuePublisher is the Publisher on a Sender: it decides where an event goes and how it travels, and leaves to
// the Sender how a queue is reached.
type QueuePublisher struct {
	out     Sender
	claims  Claims
	options Options
}

var _ Publisher = (*QueuePublisher)(nil)

// Options lowers the limits of a QueuePublisher. Zero values and values above a limit mean the limit.
type Options struct {
	MessageBytes  int // above it, an event's data is claimed
	BatchBytes    int // messages of one Send together
	BatchMessages int // messages of one Send
}

func (o *Options) withDefaults() Options {
	var c Options
	if o != nil {
		c = *o
	}
	lower := func(v *int, limit int) {
		if *v <= 0 || *v > limit {
			*v = limit
		}
	}
	lower(&c.MessageBytes, MaxMessageBytes)
	lower(&c.BatchBytes, MaxBatchBytes)
	lower(&c.BatchMessages, MaxBatchMessages)
	return c
}

// NewPublisher returns the Publisher that sends through out. The options may be nil.
func NewPublisher(out Sender, claims Claims, o *Options) *QueuePublisher {
	return &QueuePublisher{out: out, claims: claims, options: o.withDefaults()}
}

// Publish implements Publisher.
//
// Nothing happens before every event was found valid. Then it claims data, records the events in the audit queue,
// and sends them to their stages, in this order, one after the other. So no consumer ever sees an event whose
// data or whose record is missing, and the first failure leaves the rest undone. A caller that publishes the
// same events again repeats the same claims, records and messages.
func (p *QueuePublisher) Publish(ctx context.Context, s tenants.Scope, evs ...Event) error {
	if err := s.Check(); err != nil {
		return err
	}
	plan := plan{messages: make(map[Stage][][]byte)}
	for _, e := range evs {
		if err := p.add(s, &plan, e); err != nil {
			return fmt.Errorf("publish %s: %w", e.Type, err)
		}
	}
	if err := p.record(s, &plan, evs); err != nil {
		return err
	}
	for _, e := range plan.claimed {
		if err := putClaim(ctx, p.claims, s, e); err != nil {
			return err
		}
	}
	if err := p.send(ctx, StageAudit, plan.messages[StageAudit]); err != nil {
		return err
	}
	for _, stage := range stages {
		if stage == StageAudit {
			continue
		}
		if err := p.send(ctx, stage, plan.messages[stage]); err != nil {
			return err
		}
	}
	return nil
}

// plan is what one Publish is going to do.
type plan struct {
	messages map[Stage][][]byte
	claimed  []Event // with their data
	entries  []AuditEntry
}

// add puts one event into the plan.
func (p *QueuePublisher) add(s tenants.Scope, plan *plan, e Event) error {
	if err := checkTenant(s, e); err != nil {
		return err
	}
	spec, ok := SpecOf(e.Type)
	if !ok {
		return fault.New(fault.Internal, "event_type", "is no registered type", nil)
	}
	if spec.Stage != StageAudit {
		entry, err := entryOf(e, spec)
		if err != nil {
			return err
		}
		plan.entries = append(plan.entries, entry)
	}
	if spec.Stage == StageNone {
		return e.Check()
	}
	message, err := e.MarshalJSON()
	if err != nil {
		return err
	}
	if len(message) > p.options.MessageBytes && e.DataRef == "" {
		plan.claimed = append(plan.claimed, e)
		if message, err = claimed(e).MarshalJSON(); err != nil {
			return err
		}
	}
	if len(message) > p.options.MessageBytes {
		return invalid("", "the envelope alone has %d bytes, a message %d", len(message), p.options.MessageBytes)
	}
	plan.messages[spec.Stage] = append(plan.messages[spec.Stage], message)
	return nil
}

// record adds the EventRecorded messages about the events of the plan.
func (p *QueuePublisher) record(s tenants.Scope, plan *plan, evs []Event) error {
	if len(plan.entries) == 0 {
		return nil
	}
	_, worker, _ := strings.Cut(strings.TrimPrefix(evs[0].Source, "/tenants/"), "/")
	pending := slices.Collect(slices.Chunk(plan.entries, maxAuditEntries))
	for len(pending) > 0 {
		entries := pending[0]
		cause := Cause{ID: entries[0].ID, TraceParent: entries[0].TraceParent}
		e, err := New(s, worker, cause, entries[0].Time, EventRecorded{Entries: entries})
		if err != nil {
			return err
		}
		message, err := e.MarshalJSON()
		switch {
		case err != nil:
			return fmt.Errorf("record: %w", err)
		case len(message) <= p.options.MessageBytes:
			plan.messages[StageAudit] = append(plan.messages[StageAudit], message)
			pending = pending[1:]
		case len(entries) == 1:
			return invalid("", "the envelope of %s is too big to record", entries[0].Type)
		default: // halve it
			half := len(entries) / 2
			pending = slices.Insert(pending[1:], 0, entries[:half], entries[half:])
		}
	}
	return nil
}

// send hands messages to the Sender in batches that the queue takes.
func (p *QueuePublisher) send(ctx context.Context, to Stage, messages [][]byte) error {
	for len(messages) > 0 {
		n, size := 0, 0
		for n < len(messages) && n < p.options.BatchMessages {
			size += len(messages[n]) + messageOverhead
			if n > 0 && size > p.options.BatchBytes {
				break
			}
			n++
		}
		if err := p.out.Send(ctx, to, messages[:n]); err != nil {
			return fmt.Errorf("send to %s: %w", to, err)
		}
		messages = messages[n:]
	}
	return nil
}
