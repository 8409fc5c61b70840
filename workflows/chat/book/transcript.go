package book

import (
	"encoding/base64"
	"fmt"
	"slices"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
)

const (
	// MaxPage is the most messages of one page of a transcript.
	MaxPage = 1000
	// pageBytes is about how many bytes a page has at most.
	pageBytes = 4 << 20
)

// Transcript implements chat.Sessions.
func (b *Book) Transcript(tx rows.Tx, s tenants.Scope, cursor string, limit int) (chat.Transcript, error) {
	m, err := exists(tx)
	if err != nil {
		return chat.Transcript{}, err
	}
	from, skip, err := parseCursor(cursor)
	if err != nil {
		return chat.Transcript{}, err
	}
	if limit < 1 {
		return chat.Transcript{}, fault.Invalidf("limit", "value_out_of_range", "is below 1")
	}
	if err := b.settle(tx, s, m); err != nil {
		return chat.Transcript{}, err
	}
	out := chat.Transcript{
		SessionID: m.ID, UserID: m.User, Summary: m.Summary, Messages: []chat.Entry{}, CreatedAt: at(m.Created), UpdatedAt: at(m.Updated),
	}
	if from < m.First { // the page may have begun in a turn that is gone now
		from, skip = m.First, 0
	}
	bytes := 0
	for n := from; n <= m.Turns; n, skip = n+1, 0 {
		entries, err := entriesOf(tx, n)
		if err != nil {
			return chat.Transcript{}, err
		}
		for i := skip; i < len(entries); i++ {
			bytes += len(entries[i].Content) + len(entries[i].Citations)
			if len(out.Messages) == min(limit, MaxPage) || bytes > pageBytes && len(out.Messages) > 0 {
				out.Cursor = formCursor(n, i)
				return out, nil
			}
			out.Messages = append(out.Messages, entries[i])
		}
	}
	return out, nil
}

// Last implements chat.Sessions. Turns are read from the newest on, so its work does not grow with the session.
func (b *Book) Last(tx rows.Tx, s tenants.Scope, limit int) ([]llm.Message, error) {
	m, err := exists(tx)
	if err != nil {
		return nil, err
	}
	if limit < 1 || limit > MaxPage {
		return nil, fault.Invalidf("limit", "value_out_of_range", "%d is not between 1 and %d", limit, MaxPage)
	}
	if err := b.settle(tx, s, m); err != nil {
		return nil, err
	}
	last := []llm.Message{} // the newest first
	bytes := 0
	for n := m.Turns; n >= m.First && len(last) < limit; n-- {
		entries, err := entriesOf(tx, n)
		if err != nil {
			return nil, err
		}
		for i := len(entries) - 1; i >= 0 && len(last) < limit; i-- {
			if bytes += len(entries[i].Content); bytes > pageBytes && len(last) > 0 {
				limit = len(last)
				break
			}
			last = append(last, entries[i].Message)
		}
	}
	slices.Reverse(last)
	return last, nil
}

// settle ends a turn that nobody runs any more, before somebody sees it.
func (b *Book) settle(tx rows.Tx, s tenants.Scope, m *meta) error {
	now := b.now()
	last, err := readTurn(tx, m.Turns)
	if err != nil || last == nil || !last.abandoned(now) {
		return err
	}
	return interrupt(tx, s, m, last, now)
}

// entriesOf are the messages of a turn.
func entriesOf(tx rows.Tx, n int) ([]chat.Entry, error) {
	t, err := readTurn(tx, n)
	if err != nil || t == nil {
		return nil, err
	}
	if err := t.open(tx); err != nil {
		return nil, err
	}
	var out []chat.Entry
	for _, m := range t.head.Messages {
		out = append(out, chat.Entry{Message: m, Turn: n, Timestamp: at(t.head.Started), Tokens: tokens(m)})
	}
	if t.head.Outcome == nil {
		return out, nil
	}
	for _, m := range t.head.steps() {
		out = append(out, chat.Entry{Message: m, Turn: n, Timestamp: at(t.head.Ended), Tokens: tokens(m)})
	}
	answer, _ := t.head.answer()
	e := chat.Entry{
		Message: answer, Turn: n, Timestamp: at(t.head.Ended), Tokens: t.head.Outcome.Usage.Completion,
		Model: t.head.Outcome.Model, Error: t.head.Outcome.Code, Citations: t.head.Outcome.Citations,
	}
	if e.Tokens == 0 {
		e.Tokens = tokens(answer)
	}
	return append(out, e), nil
}

func tokens(m llm.Message) int { return llm.Estimate(llm.Prompt{Messages: []llm.Message{m}}) }

// A cursor is the turn and the message in it that a page begins with.
func formCursor(turn, message int) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d.%d", turn, message))
}

func parseCursor(cursor string) (turn, message int, err error) {
	if cursor == "" {
		return 0, 0, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	if err == nil {
		_, err = fmt.Sscanf(string(text), "%d.%d", &turn, &message)
	}
	if err != nil || turn < 1 || message < 0 || formCursor(turn, message) != cursor {
		return 0, 0, fault.Invalidf("cursor", "invalid_value", "is not a cursor of this list")
	}
	return turn, message, nil
}
