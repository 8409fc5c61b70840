package dialect

import (
	"errors"
	"io"
	"net/http"
	"time"

	"levada.dev/events/fault"
	"levada.dev/workflows/llm"
)

// Stream reads an answer that comes as server-sent events, piece by piece as its Reader has them. It reads on only when
// it is asked, and never more than once for a piece that has arrived.
type Stream struct {
	events   events
	all      gathering
	fast     shapes
	begun    bool      // something was handed out
	complete bool      // the answer's own end has come
	ahead    llm.Delta // a piece that Ready has found, before those that wait
	waiting  []llm.Delta
	err      error // what comes after the waiting pieces
}

// NewStream reads the stream that answers a.
func NewStream(r io.Reader, a Answer) *Stream {
	return &Stream{events: events{r: r}, all: gathering{Answer: a}}
}

// Next is llm.Stream's.
func (s *Stream) Next() (llm.Delta, error) {
	d := s.ahead
	s.ahead = llm.Delta{}
	for d == (llm.Delta{}) {
		if len(s.waiting) > 0 {
			d = s.waiting[0]
			s.waiting = s.waiting[1:]
			break
		}
		if s.err != nil {
			return llm.Delta{}, s.err
		}
		d = s.event(s.events.read())
	}
	s.begun = true
	return d, nil
}

// Ready reports whether Next would return without reading.
func (s *Stream) Ready() bool {
	for s.ahead == (llm.Delta{}) && len(s.waiting) == 0 && s.err == nil {
		data, name := s.events.buffered()
		if data == nil {
			return false
		}
		s.ahead = s.event(data, name, nil)
	}
	return true
}

// Complete reports whether the answer's own end has come; what the reader may still have is nothing.
func (s *Stream) Complete() bool { return s.complete }

// event takes an event. The piece it returns comes before those that are waiting.
func (s *Stream) event(data []byte, name string, err error) llm.Delta {
	if string(data) == "[DONE]" {
		s.waiting, s.err, s.complete = s.all.end(), io.EOF, true
		return llm.Delta{}
	}
	if err == io.EOF && data == nil && s.all.finish != "" { // it said why it ended, and left
		s.waiting, s.err, s.complete = s.all.end(), io.EOF, true
		return llm.Delta{}
	}
	if err != nil { // an event that lacks its end may lack more
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return s.breakOff(err)
	}
	if len(data) == 0 {
		return llm.Delta{}
	}
	if d, ok := s.fast.read(data); ok && name == "" {
		return d
	}
	said, failed, err := read(data)
	if err != nil {
		return s.breakOff(err)
	}
	if name == "error" || failed {
		return s.fail(data)
	}
	d, rest := s.all.take(said)
	s.waiting = rest
	if len(said.calls) == 0 && said.finish == "" && said.usage == nil {
		s.fast.learn(data, d)
	}
	return d
}

// fail ends the stream with the error that came in it. Before the first piece it is what a refusal would have been.
func (s *Stream) fail(data []byte) llm.Delta {
	refusal := Refusal(s.all.Model, http.StatusInternalServerError, data, time.Time{})
	if s.begun {
		return s.breakOff(errors.New(fault.As(refusal).Message))
	}
	s.err = refusal
	return llm.Delta{}
}

// breakOff ends the stream before its end. What was told of its usage until then is told.
func (s *Stream) breakOff(cause error) llm.Delta {
	s.err = fault.Unavailablef(cause, llm.CodeBrokeOff, "model %s broke off", s.all.Model)
	if s.all.usage != nil {
		return llm.Delta{Usage: s.all.usage}
	}
	return llm.Delta{}
}
