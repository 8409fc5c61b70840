package billing

import (
	"fmt"
	"time"

	"levada.dev/events"
	"levada.dev/events/outbox"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/tenants/quota/book"
	"levada.dev/tenants/rows"
)

// worker is the ledger's name in the source of its events.
const worker = "quota"

// Tell implements book.Tell: a fact becomes an event that waits in the outbox.
func Tell(tx rows.Tx, s tenants.Scope, at time.Time, f book.Fact) error {
	var fact events.Fact
	switch f := f.(type) {
	case book.Recorded:
		fact = recorded(f)
	case book.Exhausted:
		fact = exhausted(f)
	default:
		return fmt.Errorf("billing: no event for %T", f)
	}
	ev, err := events.New(s, worker, events.Cause{ID: fact.Subject() + "/" + fact.Identity()}, at, fact)
	if err != nil {
		return err
	}
	return outbox.Put(tx, fmt.Sprintf("%013d.%s", at.UnixMilli(), ev.ID), ev)
}

func recorded(r book.Recorded) events.UsageRecorded {
	f := events.UsageRecorded{Booking: r.Booking, Lines: make([]events.UsageLine, len(r.Lines))}
	for i, l := range r.Lines {
		f.Lines[i] = line(l)
	}
	return f
}

// line is a line of the account as its event has it.
func line(l quota.Line) events.UsageLine {
	return events.UsageLine{
		Day: string(l.Day), Capability: l.Capability, Purpose: l.Purpose, Model: l.Model,
		Calls: l.Calls, Prompt: l.Prompt, Completion: l.Completion, Chars: l.Chars, Neurons: l.Neurons.Float(), Nanos: l.Nanos, Estimated: l.Estimated,
	}
}

func exhausted(e book.Exhausted) events.BudgetExhausted {
	return events.BudgetExhausted{
		Period: e.Period, Unit: e.Unit, Starts: string(e.Starts), Limit: e.Limit, Spent: e.Spent, Reserved: e.Reserved, Resets: e.Resets,
	}
}
