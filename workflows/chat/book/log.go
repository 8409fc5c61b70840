package book

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"

	"levada.dev/workflows/chat"
)

// eventLog is the events of a turn, packed:
//
//	uvarint milliseconds when the owner was last heard | uvarint last id | records
//	record: uvarint id less the one before | kind byte | uvarint length | data
//
// Most events are tokens, of which only the JSON string is kept: a token takes about four bytes besides.
type eventLog struct {
	heard   int64
	last    int
	records []byte
}

// kinds are the types of events by their byte. The list is added to at its end only; it is what rows hold.
var kinds = []chat.EventType{chat.Token, chat.Sources, chat.ToolCalled, chat.UsageEvent, chat.Done, chat.Error}

const (
	named   = 0xfe // a type of no kind: its name comes before the data, behind its length
	trimmed = 0x80 // a token of which only the JSON string is kept
)

var tokenHead, tokenTail = []byte(`{"token":`), []byte(`}`)

func (l *eventLog) decode(b []byte) error {
	heard, n := binary.Uvarint(b)
	if n <= 0 {
		return errRow
	}
	last, k := binary.Uvarint(b[n:])
	if k <= 0 {
		return errRow
	}
	l.heard, l.last, l.records = int64(heard), int(last), slices.Clip(b[n+k:])
	return nil
}

func (l *eventLog) encode(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(l.heard))
	b = binary.AppendUvarint(b, uint64(l.last))
	return append(b, l.records...)
}

// add appends an event, whose id is beyond the last one.
func (l *eventLog) add(e chat.Event) {
	b := binary.AppendUvarint(l.records, uint64(e.ID-l.last))
	data := []byte(e.Data)
	switch kind := slices.Index(kinds, e.Type); {
	case kind < 0:
		b = append(b, named)
		b = binary.AppendUvarint(b, uint64(len(e.Type)))
		b = append(b, e.Type...)
	case e.Type == chat.Token && plainToken(data):
		data = data[len(tokenHead) : len(data)-len(tokenTail)]
		b = append(b, byte(kind)|trimmed)
	default:
		b = append(b, byte(kind))
	}
	b = binary.AppendUvarint(b, uint64(len(data)))
	l.records = append(b, data...)
	l.last = e.ID
}

// plainToken reports whether data is {"token":...} and nothing else.
func plainToken(data []byte) bool {
	return len(data) > len(tokenHead)+len(tokenTail) && bytes.HasPrefix(data, tokenHead) && bytes.HasSuffix(data, tokenTail)
}

// pack and unpack carry events between the ends of a wire, byte for byte and without JSON's escapes.
func pack(evs []chat.Event) []byte {
	var l eventLog
	for _, e := range evs {
		l.add(e)
	}
	return l.records
}

func unpack(b []byte) ([]chat.Event, error) {
	evs, _, err := (&eventLog{records: b}).after(math.MinInt, len(b))
	return evs, err
}

// after returns at most limit events with ids beyond after, and whether there are more.
func (l *eventLog) after(after, limit int) (evs []chat.Event, more bool, err error) {
	r := reader{b: l.records}
	for id := 0; len(r.b) > 0; {
		id += int(r.uvarint())
		kind := r.byte()
		var typ chat.EventType
		if kind == named {
			typ = chat.EventType(r.bytes())
		} else if i := int(kind &^ trimmed); i < len(kinds) {
			typ = kinds[i]
		} else {
			return nil, false, errRow
		}
		data := r.bytes()
		if r.bad {
			return nil, false, errRow
		}
		if id <= after {
			continue
		}
		if len(evs) == limit {
			return evs, true, nil
		}
		if kind != named && kind&trimmed != 0 {
			data = slices.Concat(tokenHead, data, tokenTail)
		}
		evs = append(evs, chat.Event{ID: id, Type: typ, Data: data})
	}
	return evs, false, nil
}

// reader takes a log apart.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.bad = true
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *reader) bytes() []byte {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return nil
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}
