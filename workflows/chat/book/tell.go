package book

import (
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/events/outbox"
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
)

// following is for how long after a replay somebody counts as listening.
const following = 5 * time.Second

var errOver = fault.New(fault.Conflict, "turn_over", "the turn is over, or the session is gone", nil)

// Tell implements chat.Sessions.
func (b *Book) Tell(tx rows.Tx, s tenants.Scope, n chat.News) (chat.Audience, error) {
	now := b.now()
	_, number, err := n.Stream.Split()
	if err != nil {
		return chat.Audience{}, err
	}
	if err := checkNews(n); err != nil {
		return chat.Audience{}, err
	}
	t, err := readTurn(tx, number)
	if err != nil {
		return chat.Audience{}, err
	}
	if t == nil {
		return chat.Audience{}, errOver
	}
	if t.over() {
		return chat.Audience{}, t.repeated(n)
	}
	if err := t.append(n.Events); err != nil {
		return chat.Audience{}, err
	}
	t.log.heard = now.UnixMilli()
	if n.Outcome == nil {
		return b.audience(now), t.write(tx)
	}
	m, err := exists(tx)
	if err != nil {
		return chat.Audience{}, err
	}
	return b.audience(now), finish(tx, s, m, t, *n.Outcome, now)
}

func (b *Book) audience(now time.Time) chat.Audience {
	return chat.Audience{Following: now.UnixMilli()-b.followed.Load() < following.Milliseconds()}
}

// checkNews checks what can be known without the turn.
func checkNews(n chat.News) error {
	bytes, last := 0, 0
	for i, e := range n.Events {
		final := i == len(n.Events)-1 && n.Outcome != nil
		switch {
		case e.ID <= last:
			return fault.Invalidf("events", "events_invalid", "event %d comes after event %d", e.ID, last)
		case e.Type == "" || !json.Valid(e.Data):
			return fault.Invalidf("events", "events_invalid", "event %d has no type, or its data is no JSON", e.ID)
		case e.Type.Final() != final:
			return fault.Invalidf("events", "events_invalid", "event %d is of type %s: a turn ends with an outcome and one final event", e.ID, e.Type)
		}
		last = e.ID
		bytes += len(e.Data)
	}
	if n.Outcome != nil && len(n.Events) == 0 {
		return fault.Invalidf("events", "events_invalid", "an outcome without a final event")
	}
	if n.Outcome != nil && n.Outcome.Citations != nil && !json.Valid(n.Outcome.Citations) {
		return fault.Invalidf("outcome", "events_invalid", "citations that are no JSON")
	}
	if bytes > chat.MaxNews {
		return fault.Invalidf("events", "news_too_large", "%d bytes of events, more than %d", bytes, chat.MaxNews)
	}
	return nil
}

// repeated is what a turn that is over answers to news: nothing, if it ended with the same.
func (t *turn) repeated(n chat.News) error {
	if t.state&interrupted == 0 && n.Outcome != nil && n.Events[len(n.Events)-1].ID == t.log.last {
		return nil
	}
	return errOver
}

// append adds events that the turn does not have yet.
func (t *turn) append(evs []chat.Event) error {
	known := t.log.last
	for _, e := range evs {
		if e.ID <= t.log.last {
			continue
		}
		if e.ID > known+chat.Ahead {
			return fault.Invalidf("events", "events_invalid", "event %d is too far ahead of event %d, the last that is kept", e.ID, known)
		}
		t.log.add(e)
	}
	room := maxEvents
	if len(evs) == 1 && evs[0].Type.Final() {
		room += lastWords
	}
	if len(t.log.records) > room {
		return fault.New(fault.Invalid, chat.CodeTooLong, fmt.Sprintf("the turn has more than %d bytes of events", maxEvents), nil).
			WithHint("ask for less at a time")
	}
	return nil
}

// finish ends a turn, whose final event it has, and tells it.
func finish(tx rows.Tx, s tenants.Scope, m *meta, t *turn, out chat.Outcome, now time.Time) error {
	if err := t.open(tx); err != nil {
		return err
	}
	steps, room := fittingSteps(out.Steps)
	out.Steps, out.Answer = steps, fitting(out.Answer, room)
	if len(out.Citations) > chat.MaxCitations {
		out.Citations = nil
	}
	t.state |= ended
	t.head.Ended, t.head.Outcome = now.UnixMilli(), &out
	if err := t.write(tx); err != nil {
		return err
	}
	return tell(tx, s, m, t, out, now)
}

// tell takes the fact of a turn's end into the outbox.
func tell(tx rows.Tx, s tenants.Scope, m *meta, t *turn, out chat.Outcome, now time.Time) error {
	if err := t.open(tx); err != nil {
		return err
	}
	ev, err := events.New(s, worker, t.head.Cause, now, chatCompleted(m, t, out, now))
	if err != nil {
		return err
	}
	return outbox.Put(tx, fmt.Sprintf("%010d", t.number), ev)
}

// fittingSteps is steps that a row has room for, and how much of it is left for the answer. Those that nobody should have made are left out.
func fittingSteps(steps []llm.Message) ([]llm.Message, int) {
	if len(steps) == 0 {
		return nil, maxAnswer
	}
	b, err := encode(steps)
	if err != nil || len(b) > maxSteps {
		return nil, maxAnswer
	}
	return steps, maxAnswer - len(b)
}

// fitting is an answer that there is room for.
func fitting(a llm.Message, room int) llm.Message {
	for {
		b, err := encode(a)
		if err != nil || len(b) <= room {
			return a
		}
		if a.Content == "" {
			return llm.Message{Role: a.Role}
		}
		keep := max(len(a.Content)-(len(b)-room), len(a.Content)/2)
		for keep > 0 && keep < len(a.Content) && !utf8.RuneStart(a.Content[keep]) {
			keep--
		}
		a.Content = a.Content[:keep]
	}
}

// interrupt ends a turn whose owner has not been heard of, with what had come of its answer. The id of the event that says so is
// beyond every one that the owner may have told its client, so a client that knows them gets this one, too.
func interrupt(tx rows.Tx, s tenants.Scope, m *meta, t *turn, now time.Time) error {
	steps, answer, citations, err := t.log.answer()
	if err != nil {
		return err
	}
	data, err := json.Marshal(map[string]string{"code": "turn_interrupted", "message": "the answer was broken off: whoever gave it was not heard of any more"})
	if err != nil {
		return err
	}
	t.log.add(chat.Event{ID: t.log.last + chat.Ahead + 1, Type: chat.Error, Data: data})
	t.state |= interrupted
	usage := llm.Usage{Completion: llm.EstimateText(answer.Content), Estimated: true}
	return finish(tx, s, m, t, chat.Outcome{Steps: steps, Answer: answer, Citations: citations, Usage: usage, Code: "turn_interrupted"}, now)
}
