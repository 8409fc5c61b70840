package llm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf8"
)

// record is an answer as it is kept.
type record struct {
	Question  string     `json:"question"` // the fingerprint: an answer to any other is not taken
	Source    Source     `json:"source"`
	Text      prose      `json:"text,omitempty"`
	Reasoning prose      `json:"reasoning,omitempty"`
	Tools     []toolText `json:"tools,omitempty"`
	Finish    Finish     `json:"finish"`
	Usage     Usage      `json:"usage"`
	Redacted  []string   `json:"redacted,omitempty"` // the kinds of what was left out
}

// toolText is all pieces of a call of a tool.
type toolText struct {
	Index     int    `json:"index"`
	ID        string `json:"id"`
	Name      string `json:"name"`
	Arguments prose  `json:"arguments"`
}

// prose is a text that grows, and a string in JSON.
type prose []byte

// MarshalText implements encoding.TextMarshaler.
func (p prose) MarshalText() ([]byte, error) { return p, nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *prose) UnmarshalText(b []byte) error {
	*p = bytes.Clone(b)
	return nil
}

// add writes down one piece.
func (r *record) add(d Delta) {
	r.Text = append(r.Text, d.Text...)
	r.Reasoning = append(r.Reasoning, d.Reasoning...)
	if d.Tool != nil {
		t := r.tool(d.Tool.Index)
		t.ID += d.Tool.ID
		t.Name += d.Tool.Name
		t.Arguments = append(t.Arguments, d.Tool.Arguments...)
	}
	if d.Finish != "" {
		r.Finish = d.Finish
	}
	if d.Usage != nil {
		r.Usage = *d.Usage
	}
}

func (r *record) tool(index int) *toolText {
	for i := range r.Tools {
		if r.Tools[i].Index == index {
			return &r.Tools[i]
		}
	}
	r.Tools = append(r.Tools, toolText{Index: index})
	return &r.Tools[len(r.Tools)-1]
}

// size is about how many bytes there are.
func (r *record) size() int {
	n := len(r.Text) + len(r.Reasoning)
	for _, t := range r.Tools {
		n += 64 + len(t.ID) + len(t.Name) + len(t.Arguments)
	}
	return n
}

// complete reports whether somebody else may have this for an answer. What JSON would not give back as it was may not.
func (r *record) complete() bool {
	for _, t := range r.Tools {
		if !utf8.Valid(t.Arguments) {
			return false
		}
	}
	said := r.Finish == FinishStop && len(r.Text) > 0 || r.Finish == FinishTools && len(r.Tools) > 0
	return said && utf8.Valid(r.Text) && utf8.Valid(r.Reasoning)
}

// decodeRecord reads an answer to the question, and nothing else.
func decodeRecord(b []byte, question string) (record, error) {
	var r record
	if err := json.Unmarshal(b, &r); err != nil {
		return record{}, fmt.Errorf("llm: cached answer: %w", err)
	}
	if r.Question != question || !r.complete() {
		return record{}, fmt.Errorf("llm: cached answer: not one to this question")
	}
	return r, nil
}

const (
	replayPieces = 8  // about as many pieces a text is told in
	replayPiece  = 64 // and about as long each is at least
)

// deltas tells the answer as a model would: in one piece, or in some.
func (r *record) deltas(stream bool) []Delta {
	var ds []Delta
	if stream {
		for _, p := range pieces(string(r.Reasoning)) {
			ds = append(ds, Delta{Reasoning: p})
		}
		for _, p := range pieces(string(r.Text)) {
			ds = append(ds, Delta{Text: p})
		}
	} else if len(r.Text)+len(r.Reasoning) > 0 {
		ds = append(ds, Delta{Text: string(r.Text), Reasoning: string(r.Reasoning)})
	}
	for _, t := range r.Tools {
		ds = append(ds, Delta{Tool: &ToolDelta{Index: t.Index, ID: t.ID, Name: t.Name, Arguments: string(t.Arguments)}})
	}
	usage := r.Usage
	return append(ds, Delta{Finish: r.Finish}, Delta{Usage: &usage})
}

// pieces cuts a text between characters.
func pieces(text string) (out []string) {
	size := max(replayPiece, len(text)/replayPieces)
	for len(text) > size {
		cut := size
		for !utf8.RuneStart(text[cut]) {
			cut--
		}
		out, text = append(out, text[:cut]), text[cut:]
	}
	if text != "" {
		out = append(out, text)
	}
	return out
}

// replay is an answer that was given before.
type replay struct {
	record record
	rest   []Delta
}

var _ Answer = (*replay)(nil)

// Next implements Stream.
func (r *replay) Next() (Delta, error) {
	if len(r.rest) == 0 {
		return Delta{}, io.EOF
	}
	d := r.rest[0]
	r.rest = r.rest[1:]
	return d, nil
}

// Ready serves the function of the same name.
func (r *replay) Ready() bool { return true }

// Close implements Stream.
func (r *replay) Close() error {
	r.rest = nil
	return nil
}

// Source implements Stream: who answered then.
func (r *replay) Source() Source { return r.record.Source }

// Spent implements Answer: nothing.
func (r *replay) Spent() (Usage, int64) { return Usage{}, 0 }

// Redacted serves the function of the same name.
func (r *replay) Redacted() []string { return r.record.Redacted }

// Cached implements Answer.
func (r *replay) Cached() bool { return true }
