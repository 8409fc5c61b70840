package book

import (
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
)

// worker is the session's name in the source of its events.
const worker = "session"

// Book decides for one session. It is safe for concurrent use as far as the rows it is given are. What it remembers
// itself may be forgotten: that somebody follows, and what the shelf has been told.
type Book struct {
	now      func() time.Time
	followed atomic.Int64 // when somebody last asked for a replay of a running turn, in Unix milliseconds
	told     atomic.Int64 // the version that the shelf has
}

// New makes a book that tells the time by now.
func New(now func() time.Time) *Book { return &Book{now: now} }

// What an opening may have.
const (
	maxMessages = 256     // messages or outcomes of tools
	maxOpening  = 6 << 20 // bytes of them, encoded
	maxUser     = 512     // bytes of a user's name: 128 characters
)

// Begin implements chat.Sessions.
func (b *Book) Begin(tx rows.Tx, s tenants.Scope, o chat.Opening) (chat.Turn, error) {
	now := b.now()
	if err := errors.Join(checkOpening(o), checkCause(s, o)); err != nil {
		return chat.Turn{}, err
	}
	m, err := load(tx)
	if err != nil {
		return chat.Turn{}, err
	}
	if t, err := m.replay(tx, o, now); err != nil || t.Replayed {
		return t, err
	}
	if err := b.takeOver(tx, s, m, now); err != nil {
		return chat.Turn{}, err
	}
	m.open(o, now)
	past, err := recall(tx, m, o) // with the turn that makes room: this one may answer its calls of tools
	if err != nil {
		return chat.Turn{}, err
	}
	if err := m.shorten(tx, o.Keep.Turns); err != nil {
		return chat.Turn{}, err
	}
	m.Turns++
	m.remember(o.Key, now)
	t := &turn{number: m.Turns, head: &head{Messages: o.Messages, Started: now.UnixMilli(), Cause: o.Cause}}
	t.log.heard = t.head.Started
	return chat.Turn{
		Stream: chat.NewStreamID(m.ID, m.Turns), Number: m.Turns, Past: past, Started: at(t.head.Started),
	}, errors.Join(t.write(tx), m.write(tx))
}

// takeOver ends a turn that nobody runs any more, and refuses to begin beside one that somebody does.
func (b *Book) takeOver(tx rows.Tx, s tenants.Scope, m *meta, now time.Time) error {
	last, err := readTurn(tx, m.Turns)
	if err != nil || last == nil || last.over() {
		return err
	}
	if !last.abandoned(now) {
		return chat.Busy(chat.NewStreamID(m.ID, m.Turns))
	}
	return interrupt(tx, s, m, last, now)
}

func checkOpening(o chat.Opening) error {
	if err := chat.CheckSessionID(o.Session); err != nil {
		return err
	}
	if err := checkMessages(o.Messages); err != nil {
		return err
	}
	if len(o.User) > maxUser {
		return fault.Invalidf("userId", "value_out_of_range", "has more than %d bytes", maxUser)
	}
	if o.Keep.Days < 0 || o.Keep.Turns < 0 || o.Keep.WindowTokens < 0 {
		return fault.Invalidf("keep", "value_out_of_range", "is negative")
	}
	return nil
}

// checkMessages checks what a turn begins with.
func checkMessages(messages []llm.Message) error {
	if len(messages) == 0 || len(messages) > maxMessages {
		return fault.Invalidf("messages", "value_out_of_range", "has %d messages, not 1 to %d", len(messages), maxMessages)
	}
	for _, msg := range messages {
		if msg.Role != llm.User && msg.Role != llm.ToolRole {
			return fault.Invalidf("messages", "invalid_value", "a turn begins with what a user says or what tools returned, not with role %.16q", msg.Role)
		}
	}
	return nil
}

// checkCause sees to it that the end of the turn can be told: one that cannot would never end.
func checkCause(s tenants.Scope, o chat.Opening) error {
	ev, err := events.New(s, worker, o.Cause, time.Unix(0, 0), events.ChatCompleted{SessionID: o.Session, Turn: 1})
	if err != nil {
		return err
	}
	return ev.Check()
}

// Summarise implements chat.Summaries.
func (b *Book) Summarise(tx rows.Tx, upTo int, text string) error {
	m, err := exists(tx)
	if err != nil {
		return err
	}
	if upTo < 1 || upTo > m.Turns {
		return fault.Invalidf("upTo", "value_out_of_range", "turn %d of %d", upTo, m.Turns)
	}
	if len(text) > maxSummary {
		return fault.Invalidf("text", "value_out_of_range", "has more than %d bytes", maxSummary)
	}
	if upTo < m.UpTo || upTo == m.UpTo && text == m.Summary {
		return nil
	}
	m.Summary, m.UpTo = text, upTo
	return m.write(tx)
}

// maxSummary is the longest summary, in bytes. It is written with every turn.
const maxSummary = 32 << 10

// Delete implements chat.Sessions.
func (b *Book) Delete(tx rows.Tx, s tenants.Scope) error {
	m, err := exists(tx)
	if err != nil {
		return err
	}
	return b.forget(tx, s, m, "session_deleted")
}

// forget removes what the session has, and leaves a gravestone: the numbers of its turns go on for a while, so that whoever ran
// or follows one of them meets no other.
func (b *Book) forget(tx rows.Tx, s tenants.Scope, m *meta, code string) error {
	now := b.now()
	last, err := readTurn(tx, m.Turns)
	if err != nil {
		return err
	}
	if last != nil && !last.over() {
		if err := tell(tx, s, m, last, chat.Outcome{Code: code}, now); err != nil {
			return err
		}
	}
	for n := m.First; n <= m.Turns; n++ {
		if err := removeTurn(tx, n); err != nil {
			return err
		}
	}
	gone := &meta{ID: m.ID, Turns: m.Turns, First: m.Turns + 1, Gone: now.UnixMilli(), Version: m.next(now)}
	return gone.write(tx)
}

// title is the beginning of what somebody says, on one line.
func title(messages []llm.Message) string {
	const most = 80 // characters
	text := ""
	for _, m := range messages {
		if m.Role == llm.User {
			text = strings.Join(strings.Fields(m.Content[:min(len(m.Content), 8*most)]), " ")
			break
		}
	}
	runes := []rune(strings.ToValidUTF8(text, ""))
	if len(runes) <= most {
		return string(runes)
	}
	cut := string(runes[:most-1])
	if i := strings.LastIndexByte(cut, ' '); i > len(cut)/2 {
		cut = cut[:i]
	}
	return cut + "…"
}

func at(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// chatCompleted is the fact of a turn's end.
func chatCompleted(m *meta, t *turn, out chat.Outcome, now time.Time) events.ChatCompleted {
	return events.ChatCompleted{
		SessionID: m.ID, Turn: t.number, UserID: m.User, Model: out.Model, PromptTokens: max(out.Usage.Prompt, 0),
		CompletionTokens: max(out.Usage.Completion, 0), CachedTokens: max(out.Usage.Cached, 0), Estimated: out.Usage.Estimated,
		CostNanos: max(out.Nanos, 0), FinishReason: string(out.Finish), Code: out.Code,
		DurationMS: max(now.UnixMilli()-t.head.Started, 0), LogID: out.LogID,
	}
}
