package book

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
)

// turn is a turn's row: what began it and how it ended as JSON, then its events, packed. While the turn goes on, news is
// appended and the JSON is not touched.
//
//	state byte | uvarint length | JSON of head | log
type turn struct {
	number int
	state  state
	raw    []byte // the JSON of head, until head is opened
	head   *head
	log    eventLog
}

// state is what must be known of a turn before its JSON is opened.
type state byte

const (
	ended       state = 1 << iota // has had its final event
	interrupted                   // by the session, not by its owner
	dropped                       // its events are not kept any more
)

// head is what a turn is apart from its events.
type head struct {
	Messages []llm.Message `json:"messages,omitempty"`
	Long     int           `json:"long,omitempty"` // how many rows of their own the messages take
	Started  int64         `json:"started"`
	Cause    events.Cause  `json:"cause,omitzero"`
	Ended    int64         `json:"ended,omitempty"`
	Outcome  *chat.Outcome `json:"outcome,omitempty"`
}

// A row has less than 2 MB: https://developers.cloudflare.com/durable-objects/platform/limits/.
const (
	shortMessages = 256 << 10 // bytes of messages that need no rows of their own
	longPiece     = 1 << 20   // bytes of such a row
	maxEvents     = 640 << 10 // bytes of a turn's events, packed
	lastWords     = 32 << 10  // more, for the final event alone
	maxAnswer     = 768 << 10 // bytes of an answer, encoded, with its steps
	maxSteps      = 512 << 10 // bytes of these
)

func (t *turn) over() bool { return t.state&ended != 0 }

// abandoned reports whether the owner of a running turn has not been heard of for too long.
func (t *turn) abandoned(now time.Time) bool {
	return !t.over() && !now.Before(at(t.log.heard).Add(chat.TurnLease))
}

// readTurn is a turn, nil when there is none.
func readTurn(tx rows.Tx, n int) (*turn, error) {
	if n < 1 {
		return nil, nil
	}
	b, err := tx.Get(turnKey(n))
	if err != nil {
		return nil, fmt.Errorf("book: get: %w", err)
	}
	if b == nil {
		return nil, nil
	}
	size, k := binary.Uvarint(b[1:])
	if k <= 0 || size > uint64(len(b)-1-k) {
		return nil, errRow
	}
	rest := b[1+k:]
	t := &turn{number: n, state: state(b[0]), raw: rest[:size:size]}
	return t, t.log.decode(rest[size:])
}

// open decodes the turn's head, long messages included.
func (t *turn) open(tx rows.Tx) error {
	if t.head != nil {
		return nil
	}
	var h head
	if err := json.Unmarshal(t.raw, &h); err != nil {
		return fmt.Errorf("%w: %w", errRow, err)
	}
	if h.Long > 0 {
		var long []byte
		for i := range h.Long {
			piece, err := tx.Get(longKey(t.number, i))
			if err != nil {
				return fmt.Errorf("book: get: %w", err)
			}
			long = append(long, piece...)
		}
		if err := json.Unmarshal(long, &h.Messages); err != nil {
			return fmt.Errorf("%w: %w", errRow, err)
		}
	}
	t.head = &h
	return nil
}

// write keeps the turn.
func (t *turn) write(tx rows.Tx) error {
	raw := t.raw
	if t.head != nil {
		var err error
		if raw, err = t.encodeHead(tx); err != nil {
			return err
		}
	}
	b := make([]byte, 0, 2+binary.MaxVarintLen64*3+len(raw)+len(t.log.records))
	b = append(b, byte(t.state))
	b = binary.AppendUvarint(b, uint64(len(raw)))
	b = append(b, raw...)
	b = t.log.encode(b)
	if err := tx.Put(turnKey(t.number), b); err != nil {
		return fmt.Errorf("book: put: %w", err)
	}
	return nil
}

// encodeHead encodes the head, and moves messages that are long to rows of their own, once.
func (t *turn) encodeHead(tx rows.Tx) ([]byte, error) {
	h := *t.head
	if h.Long == 0 {
		long, err := encode(h.Messages)
		if err != nil {
			return nil, err
		}
		if len(long) > maxOpening {
			return nil, fault.Invalidf("messages", "message_too_long", "more than %d bytes were said", maxOpening)
		}
		for ; len(long) > shortMessages && h.Long*longPiece < len(long); h.Long++ {
			piece := long[h.Long*longPiece : min((h.Long+1)*longPiece, len(long))]
			if err := tx.Put(longKey(t.number, h.Long), piece); err != nil {
				return nil, fmt.Errorf("book: put: %w", err)
			}
		}
	}
	if h.Long > 0 {
		h.Messages = nil
	}
	t.head.Long = h.Long
	return encode(h)
}

// encode is JSON that says "<" as one byte, not six.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("book: turn: %w", err)
	}
	return b.Bytes(), nil
}

// steps is what came before the answer: calls of the platform's tools, and what came of them.
func (h *head) steps() []llm.Message {
	if h.Outcome == nil {
		return nil
	}
	return h.Outcome.Steps
}

// answer is what came of the turn, if anything did.
func (h *head) answer() (llm.Message, bool) {
	if h.Outcome == nil {
		return llm.Message{}, false
	}
	a := h.Outcome.Answer
	a.Role = llm.Assistant
	return a, a.Content != "" || len(a.ToolCalls) > 0
}
