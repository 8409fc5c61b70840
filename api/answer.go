package api

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/answer"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/safety"
)

// answeredSearch is a search with the answer made of what it found.
type answeredSearch struct {
	Answer string `json:"answer"`
	searchAnswer
	Citations  []answer.Citation `json:"citations"`
	Confidence float64           `json:"confidence"`
	Abstained  bool              `json:"abstained"`
	FollowUps  []string          `json:"followUps"`
	Prompt     string            `json:"prompt"`
	Model      string            `json:"model,omitempty"`
	Finish     llm.Finish        `json:"finishReason,omitempty"`
	Usage      llm.Usage         `json:"usage"`
}

// answerFrom answers the question from what the search has found, in one piece or as it comes. When the client leaves, the model is stopped,
// and what it has said until then is paid.
func (c *call) answerFrom(req *searchRequest, found searchAnswer) error {
	sources, notes, err := c.Safety.Sources(c.ctx(), c.scope, c.config.Safety, c.requestID, found.Sources)
	if err != nil {
		return err
	}
	found.Sources = sources
	c.noted().Retrieved(notes)
	c.showFlags()
	found.Safety = c.noted().All()
	order, err := c.question(req, found)
	if err != nil {
		return err
	}
	c.dropBody() // nothing of the order points into it
	began := c.opts.Now()
	telling, err := c.Answerer.Open(c.ctx(), c.scope, order)
	c.stage("model", began)
	if err != nil {
		return err
	}
	defer func() { _ = telling.Close() }() // whatever it says, the client has what there was
	if req.Stream {
		return c.tellAnswer(telling, found.Safety)
	}
	return c.wholeAnswer(telling, found)
}

// question is what an Answerer takes.
func (c *call) question(req *searchRequest, found searchAnswer) (answer.Request, error) {
	models, err := llm.Candidates(c.config.Models, "")
	if err != nil {
		return answer.Request{}, err
	}
	config := c.config.Answers
	prompt := answer.Grounded()
	if config.Prompt != tenants.DefaultPrompt {
		if prompt, err = c.Directory.Prompt(c.ctx(), c.scope.Tenant(), config.Prompt); err != nil {
			if fault.Is(err, fault.NotFound) { // the caller has no part in it
				err = fault.New(fault.Internal, "prompt_unpublished", config.Prompt, err)
			}
			return answer.Request{}, err
		}
	}
	r := answer.Request{
		Question: cmp.Or(found.Rewritten, req.Query), Sources: found.Sources, Rewritten: c.redacted(found.Rewritten), Degraded: found.Degraded, Prompt: prompt, Models: models, MaxTokens: c.config.Chat.MaxTokens, Stream: req.Stream,
		RequestID: c.requestID, Threshold: float64(config.Threshold) / 100, Drop: config.Unsupported == tenants.UnsupportedDrop,
		Language: config.Language, Unknown: config.Unknown, Redact: c.config.Safety.Answers == tenants.RedactOn,
	}
	if found.delimiter != "" {
		r.Delimiter, r.Cache = found.delimiter, c.config.Search.CacheTTL()
	}
	return r, nil
}

// wholeAnswer answers when all of the answer is there.
func (c *call) wholeAnswer(telling *answer.Telling, found searchAnswer) error {
	if err := hearOut(c, telling.Next, func(answer.Event) {}); err != nil {
		return err
	}
	a := telling.Answer()
	found.Safety, found.Rewritten = c.told(telling.Redacted()), c.redacted(found.Rewritten)
	return c.ok(http.StatusOK, answeredSearch{
		Answer: a.Text, searchAnswer: found, Citations: a.Citations, Confidence: a.Confidence, Abstained: a.Abstained, FollowUps: a.FollowUps,
		Prompt: a.Prompt, Model: a.Model, Finish: a.Finish, Usage: a.Usage,
	})
}

// hearOut takes what a model says, piece by piece, to its end.
func hearOut[P any](c *call, next func() (P, error), take func(P)) error {
	began := c.opts.Now()
	for {
		piece, err := next()
		switch {
		case errors.Is(err, io.EOF):
			c.stage("answer", began)
			return nil
		case err != nil:
			return err
		}
		take(piece)
	}
}

// tellAnswer tells the answer as it comes. Events that are there at once go out together. What goes wrong after the first byte is the last
// event.
func (c *call) tellAnswer(telling *answer.Telling, noted *safety.Told) error {
	s := c.openStream()
	defer s.free()
	id := 1
	if noted != nil {
		b, err := json.Marshal(noted)
		if err != nil {
			return err // it is texts and numbers
		}
		s.event(id, "safety", b)
		id++
	}
	for ; ; id++ {
		e, err := telling.Next()
		switch {
		case err == nil:
			if kinds := telling.Redacted(); e.Type == answer.Done && len(kinds) > 0 {
				b, _ := json.Marshal(safety.Told{Redacted: kinds}) // of texts
				s.event(id, "safety", b)
				id++
			}
			if e.Type == answer.Token {
				c.seen.First()
			}
			s.event(id, string(e.Type), e.Data)
		case errors.Is(err, io.EOF):
			s.end()
			return nil
		case c.ctx().Err() != nil:
			c.err = errClientLeft
			return nil
		default:
			c.err, c.broken = err, true
			s.event(id, "error", c.errorEvent(err))
			s.end()
			return nil
		}
		if len(s.buf) > muchToSay || !telling.Ready() {
			if s.send() != nil {
				c.err = errClientLeft
				return nil
			}
		}
	}
}

// errorEvent is what a stream says of what went wrong, as those of turns do.
func (c *call) errorEvent(err error) json.RawMessage {
	f, _ := c.classify(err)
	b, _ := json.Marshal(struct { // of texts and a number
		Code       string `json:"code"`
		Message    string `json:"message"`
		RetryAfter int64  `json:"retryAfterMs,omitempty"`
	}{f.Code, message(f), f.RetryAfter.Milliseconds()})
	return b
}
