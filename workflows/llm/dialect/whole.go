package dialect

import (
	"encoding/json"
	"io"
	"time"

	"levada.dev/events/fault"
	"levada.dev/workflows/llm"
)

// Whole is the pieces of an answer that came at once.
type Whole struct{ pieces []llm.Delta }

// NewWhole reads the JSON that answers a. An error in it is the fault that a refusal would have been; what is
// no answer in either form is fault.Internal, code model_answer.
func NewWhole(body []byte, a Answer) (*Whole, error) {
	s, ok := scan(body)
	if !ok || s.text == "" { // calls of tools, a refusal, or nothing that is known
		var err error
		if s, err = readWhole(body, a); err != nil {
			return nil, err
		}
	}
	all := gathering{Answer: a}
	first, rest := all.take(s)
	w := &Whole{}
	for _, d := range append(append([]llm.Delta{first}, rest...), all.end()...) {
		if d != (llm.Delta{}) {
			w.pieces = append(w.pieces, d)
		}
	}
	return w, nil
}

// readWhole reads an answer of any form.
func readWhole(body []byte, a Answer) (said, error) {
	var c chunk
	if err := json.Unmarshal(body, &c); err != nil {
		return said{}, notAnswer(a, err)
	}
	inner := &c
	if c.Result != nil {
		inner = c.Result
	}
	if c.failed() || inner.failed() {
		return said{}, Refusal(a.Model, 500, body, time.Time{})
	}
	if inner.Response == nil && len(inner.Choices) == 0 && len(inner.ToolCalls) == 0 {
		return said{}, notAnswer(a, nil)
	}
	return inner.said(), nil
}

func notAnswer(a Answer, cause error) error {
	return fault.New(fault.Internal, "model_answer", "model "+a.Model+" answered in another form", cause)
}

// Next is llm.Stream's.
func (w *Whole) Next() (llm.Delta, error) {
	if len(w.pieces) == 0 {
		return llm.Delta{}, io.EOF
	}
	d := w.pieces[0]
	w.pieces = w.pieces[1:]
	return d, nil
}

// Ready is true: all of it is here.
func (w *Whole) Ready() bool { return true }
