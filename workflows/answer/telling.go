package answer

import (
	"encoding/json"
	"errors"
	"io"
	"strings"

	"levada.dev/events/fault"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/rag"
)

// Event is one thing that happens while a question is answered, as clients see it.
type Event struct {
	Type EventType
	Data json.RawMessage
}

// EventType is the kind of an event.
type EventType string

// The kinds, in the order they come. Sources, Citations and Done come once.
const (
	Sources   EventType = "sources"   // {"sources": [...], "rewrittenQuery"?, "degraded"?}
	Token     EventType = "token"     // {"token": "..."}
	Citations EventType = "citations" // {"citations": [...]}
	Done      EventType = "done"      // an Answer without its citations
)

// Answer is a whole one.
type Answer struct {
	Text       string     `json:"answer"`
	Citations  []Citation `json:"citations,omitempty"`
	Confidence float64    `json:"confidence"` // that the sources hold it, times the part of it that they support
	Abstained  bool       `json:"abstained"`  // there is none, and Text says so
	FollowUps  []string   `json:"followUps"`
	Prompt     string     `json:"prompt"`          // which one, with its version
	Model      string     `json:"model,omitempty"` // none when no model was asked
	Finish     llm.Finish `json:"finishReason,omitempty"`
	Usage      llm.Usage  `json:"usage"`
}

// Telling is an answer as it comes. It belongs to one goroutine.
type Telling struct {
	request    Request
	evidence   *Evidence
	answerable float64
	model      llm.Answer // nil where none was asked

	review *Review
	told   bool // something of what it said was told
	queue  []Event
	stage  int
	answer Answer
	err    error
}

const (
	atSources = iota
	atTokens
	atEnd
)

// Next waits for the next event; after Done it is io.EOF. Any other error is how the model broke off.
func (t *Telling) Next() (Event, error) {
	for len(t.queue) == 0 {
		if t.err != nil {
			return Event{}, t.err
		}
		t.step()
	}
	e := t.queue[0]
	t.queue = t.queue[1:]
	return e, nil
}

// Ready reports whether Next would return at once.
func (t *Telling) Ready() bool {
	return len(t.queue) > 0 || t.err != nil || t.stage == atEnd || t.model != nil && llm.Ready(t.model)
}

// Close lets go of the model, and settles what it took. It may be called again.
func (t *Telling) Close() error {
	if t.err == nil {
		t.err = io.ErrClosedPipe
	}
	t.queue = nil
	if t.model == nil {
		return nil
	}
	return t.model.Close()
}

// Answer is the whole answer, once Next has returned io.EOF.
func (t *Telling) Answer() Answer { return t.answer }

// Redacted is the kinds of personal data that were left out of what the model has said so far.
func (t *Telling) Redacted() []string { return llm.Redacted(t.model) }

// step makes the next events, or the end.
func (t *Telling) step() {
	switch {
	case t.stage == atSources:
		sources := t.request.Sources
		if sources == nil {
			sources = []rag.Source{}
		}
		t.put(Sources, struct {
			Sources   []rag.Source  `json:"sources"`
			Rewritten string        `json:"rewrittenQuery,omitempty"`
			Degraded  []rag.Missing `json:"degraded,omitempty"`
		}{sources, t.request.Rewritten, t.request.Degraded})
		t.stage = atTokens
	case t.stage == atEnd:
		t.err = io.EOF
	case t.model == nil:
		t.token(t.answer.Text)
		t.end()
	default:
		t.listen()
	}
}

// listen takes the next piece of what the model says.
func (t *Telling) listen() {
	d, err := t.model.Next()
	switch {
	case errors.Is(err, io.EOF):
		t.conclude()
		return
	case err != nil:
		t.err = err
		return
	}
	if d.Finish != "" {
		t.answer.Finish = d.Finish
	}
	if d.Text == "" {
		return
	}
	t.token(t.review.Take(d.Text))
}

// conclude checks the answer when all of it is there.
func (t *Telling) conclude() {
	a := &t.answer
	rest, r := t.review.End(true)
	t.token(rest)
	a.Text, a.Citations = strings.TrimSpace(r.Text), r.Citations
	a.Model = t.model.Source().Model
	a.Usage, _ = t.model.Spent()
	if r.Claims > 0 {
		a.Confidence = round(t.answerable * float64(r.Supported) / float64(r.Claims))
	}
	if r.Supported == 0 || a.Confidence < t.request.Threshold {
		a.Text, a.Abstained, a.Citations = Unknown(t.request.Question, t.request.Unknown), true, []Citation{}
		if !t.told {
			t.token(a.Text)
		}
	}
	t.end()
}

// abstain answers without a model.
func (t *Telling) abstain() {
	t.answer.Text, t.answer.Abstained = Unknown(t.request.Question, t.request.Unknown), true
	t.answer.Confidence = round(t.answerable)
	if len(t.request.Sources) == 0 {
		t.answer.Confidence = 0
	}
}

// end tells what came of the check, and how the answer ended.
func (t *Telling) end() {
	a := &t.answer
	if a.Citations == nil {
		a.Citations = []Citation{}
	}
	a.FollowUps = []string{}
	if !a.Abstained {
		a.FollowUps = followUps(t.evidence, &t.request, a)
	}
	a.Prompt = t.request.Prompt.Name
	t.put(Citations, struct {
		Citations []Citation `json:"citations"`
	}{a.Citations})
	done := *a
	done.Citations = nil
	t.put(Done, done)
	t.stage = atEnd
}

func (t *Telling) token(text string) {
	if text != "" {
		t.told = true
		t.put(Token, struct {
			Token string `json:"token"`
		}{text})
	}
}

func (t *Telling) put(typ EventType, data any) {
	b, err := json.Marshal(data)
	if err != nil {
		t.err = fault.New(fault.Internal, "event_encoding", string(typ), err)
		return
	}
	t.queue = append(t.queue, Event{typ, b})
}

// round keeps what a confidence can mean.
func round(x float64) float64 { return float64(int(x*1000+0.5)) / 1000 }
