package book

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/call"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/lexicon"
)

// The methods of the wire.
const (
	methodPut      = "put"
	methodRemove   = "remove"
	methodFind     = "find"
	methodPassages = "passages"
	methodStored   = "stored"
	methodClear    = "clear"
	methodCount    = "count"
)

type none struct{}

// Call runs one method inside an open transaction, as call.Serve does: tx is it as the map in which the object keeps whose it is,
// and db as the database.
func (b *Book) Call(tx rows.Tx, db Tx, method string, body []byte) (reply []byte, commit bool) {
	switch method {
	case methodPut:
		return call.Serve(tx, body, func(_ tenants.Scope, es []entry) (none, error) { return none{}, b.put(db, es) })
	case methodRemove:
		return call.Serve(tx, body, func(_ tenants.Scope, refs []corpus.Generation) (bool, error) { return b.remove(db, refs) })
	case methodFind:
		return call.ServeBytes(tx, body, func(_ tenants.Scope, q corpus.LexicalQuery) ([]byte, error) {
			found, err := b.find(db, q)
			return found.encode(), err
		})
	case methodPassages:
		return call.ServeBytes(tx, body, func(_ tenants.Scope, at []corpus.Place) ([]byte, error) {
			found, err := b.passages(db, at)
			return found.encode(), err
		})
	case methodStored:
		return call.Serve(tx, body, func(_ tenants.Scope, ref corpus.Generation) (int, error) { return b.stored(db, ref) })
	case methodClear:
		return call.Serve(tx, body, func(_ tenants.Scope, limit int) (int, error) { return b.clear(db, limit) })
	case methodCount:
		return call.Serve(tx, body, func(tenants.Scope, none) (int, error) {
			all, err := totals(db)
			return all.Passages, err
		})
	}
	return call.Unknown(method)
}

// hits is an answer on its way. It is bytes and not JSON, as most of it is text that nobody has to look at on the way.
type hits struct {
	most float64
	all  []hit
}

// hit is a passage as it is stored.
type hit struct {
	score       float64
	matched     []int
	about, text []byte
}

func (h hits) encode() []byte {
	size := 16
	for _, x := range h.all {
		size += 24 + len(x.matched) + len(x.about) + len(x.text)
	}
	out := make([]byte, 0, size)
	out = binary.LittleEndian.AppendUint64(out, math.Float64bits(h.most))
	out = binary.AppendUvarint(out, uint64(len(h.all)))
	for _, x := range h.all {
		out = binary.LittleEndian.AppendUint64(out, math.Float64bits(x.score))
		out = binary.AppendUvarint(out, uint64(len(x.matched)))
		for _, m := range x.matched {
			out = binary.AppendUvarint(out, uint64(m))
		}
		for _, b := range [][]byte{x.about, x.text} {
			out = append(binary.AppendUvarint(out, uint64(len(b))), b...)
		}
	}
	return out
}

// decode reads what encode wrote.
func decode(b []byte) (found corpus.Found, err error) {
	r := reader{b: b}
	found.Most = r.float()
	found.Hits = make([]corpus.Hit, min(r.number(), len(b)))
	for i := range found.Hits {
		h := &found.Hits[i]
		h.Score = r.float()
		h.Matched = make([]int, min(r.number(), corpus.MaxTerms))
		for k := range h.Matched {
			h.Matched[k] = r.number()
		}
		about := r.bytes()
		if r.short {
			break
		}
		if h.Passage.Metadata, err = corpus.ReadMetadata(about); err != nil {
			return found, fault.New(fault.Internal, "object_answer", "a passage cannot be read", err)
		}
		h.Passage.Text = string(r.bytes())
	}
	if r.short || len(r.b) > 0 {
		return found, fault.New(fault.Internal, "object_answer", "the answer is cut", nil)
	}
	return found, nil
}

type reader struct {
	b     []byte
	short bool
}

func (r *reader) take(n int) []byte {
	if r.short || n < 0 || n > len(r.b) {
		r.short = true
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) float() float64 {
	b := r.take(8)
	if b == nil {
		return 0
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(b))
}

func (r *reader) number() int {
	n, used := binary.Uvarint(r.b)
	if used <= 0 || n > math.MaxInt32 {
		r.short = true
		return 0
	}
	r.take(used)
	return int(n)
}

func (r *reader) bytes() []byte { return r.take(r.number()) }

// newEntry is a passage on its way to be kept.
func newEntry(p corpus.Passage) (e entry, err error) {
	e.Place = lexicon.PlaceOf(p.Metadata)
	e.Head, e.Body, e.Forward, e.Text = lexicon.EncodeAll(p.Head), lexicon.EncodeAll(p.Body), lexicon.Of(p), p.Text
	if e.Fields, err = json.Marshal(lexicon.Fields(p.Metadata)); err != nil {
		return e, fmt.Errorf("fields: %w", err)
	}
	about := p.Metadata
	about.Text = ""
	if e.About, err = json.Marshal(about); err != nil {
		return e, fault.New(fault.Invalid, "metadata_invalid", "not JSON", err)
	}
	return e, nil
}

// size is about how many bytes it is on the wire.
func (e entry) size() int {
	return len(e.Head) + len(e.Body) + len(e.Forward)*4/3 + len(e.Fields) + len(e.About) + len(e.Text) + 200
}
