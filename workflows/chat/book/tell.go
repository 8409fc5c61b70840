package book

import (
	"encoding/json"
	"fmt"
	"strings"
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
	out.Answer = fitting(out.Answer)
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

// fitting is an answer that a row has room for.
func fitting(a llm.Message) llm.Message {
	for {
		b, err := encode(a)
		if err != nil || len(b) <= maxAnswer {
			return a
		}
		if a.Content == "" {
			return llm.Message{Role: a.Role}
		}
		keep := max(len(a.Content)-(len(b)-maxAnswer), len(a.Content)/2)
		for keep > 0 && keep < len(a.Content) && !utf8.RuneStart(a.Content[keep]) {
			keep--
		}
		a.Content = a.Content[:keep]
	}
}

// interrupt ends a turn whose owner has not been heard of, with what had come of its answer. The id of the event that says so is
// beyond every one that the owner may have told its client, so a client that knows them gets this one, too.
func interrupt(tx rows.Tx, s tenants.Scope, m *meta, t *turn, now time.Time) error {
	answer, citations, err := t.log.answer()
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
	return finish(tx, s, m, t, chat.Outcome{Answer: answer, Citations: citations, Usage: usage, Code: "turn_interrupted"}, now)
}

// answer is what the events say of the answer, and of the check of it.
func (l *eventLog) answer() (a llm.Message, citations json.RawMessage, err error) {
	evs, _, err := l.after(0, len(l.records))
	if err != nil {
		return a, nil, err
	}
	var text strings.Builder
	a.Role = llm.Assistant
	for _, e := range evs {
		switch e.Type {
		case chat.Token:
			var piece struct{ Token string }
			if json.Unmarshal(e.Data, &piece) == nil {
				text.WriteString(piece.Token)
			}
		case chat.Citations:
			var c struct{ Citations json.RawMessage }
			if json.Unmarshal(e.Data, &c) == nil {
				citations = c.Citations
			}
		case chat.ToolCalled:
			var c struct {
				ID, Name  string
				Arguments json.RawMessage
			}
			if json.Unmarshal(e.Data, &c) == nil && c.ID != "" {
				a.ToolCalls = append(a.ToolCalls, llm.ToolCall{ID: c.ID, Name: c.Name, Arguments: arguments(c.Arguments)})
			}
		}
	}
	a.Content = text.String()
	return a, citations, nil
}

// arguments are those of a call, which an event may carry as an object or as a string of one.
func arguments(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}
