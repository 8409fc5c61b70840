package api

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/tools"
)

// deed is what a route does that is on record: before it is tried, and how it ended.
type deed struct {
	kind events.ActKind
	name string
	of   string // what it is done to, or what that is one of: then the path has its id
}

func deletes(name, of string) *deed { return &deed{events.ActDeletion, name, of} }

func administers(name, of string) *deed { return &deed{events.ActAdmin, name, of} }

func replays(name, of string) *deed { return &deed{events.ActReplay, name, of} }

// perform runs the route's handler. What it does to the tenant is on record before it begins, or it does not; how it ended is recorded beside
// the answer.
func (c *call) perform() error {
	if c.route.act == nil {
		return c.route.handle(c)
	}
	act := c.act(c.route.act)
	began := c.opts.Now()
	err := c.record(c.ctx(), began, events.ActAttempted{What: act, Span: c.span()})
	c.stage("audit", began)
	if err != nil {
		return fault.Unavailablef(err, "audit_unavailable", "this is put on record before it is done, and the record was not taken: nothing was done").
			WithHint("try again")
	}
	ended := false
	defer func() {
		if !ended { // it panics
			err = fault.New(fault.Internal, "panic", "", nil)
		}
		c.performed(act, began, err)
	}()
	err = c.route.handle(c)
	ended = true
	return err
}

// act is what the request is going to do.
func (c *call) act(d *deed) events.Act {
	act := events.Act{Kind: d.kind, Name: d.name, Actor: clip(c.keyName(), 128), RequestID: c.requestID, Target: d.of, Arguments: c.arguments(), Outcome: events.OutcomeBegun}
	if id := c.r.PathValue("id"); id != "" {
		act.Target = clip(d.of+"/"+id, 512)
	}
	if user := c.r.Header.Get(userHeader); checkUser(userHeader, user) == nil {
		act.UserID = user
	}
	return act
}

// maxArguments is how long a body may be that is digested. No act takes a longer one.
const maxArguments = 1 << 20

// arguments is the digest of what the act is done with: of the body, or else of the query as an object of lists. There is none of what is not JSON.
func (c *call) arguments() string {
	switch query := c.r.URL.Query(); {
	case len(c.body) > maxArguments:
		return ""
	case c.route.body == jsonBody:
		return tools.Digest(c.body)
	case len(query) > 0:
		text, err := json.Marshal(query)
		if err != nil {
			return ""
		}
		return tools.Digest(text)
	}
	return ""
}

// span distinguishes this request from every other: its id is the client's to choose.
func (c *call) span() string { return c.traceParent[36:52] }

// record puts facts on record that are told for the trail alone.
func (c *call) record(ctx context.Context, at time.Time, f events.Fact) error {
	ev, err := events.New(c.scope, worker, c.cause(), at, f)
	if err != nil {
		return err
	}
	return c.Publisher.Publish(ctx, c.scope, ev)
}

// worker is the API's name in the source of its events.
const worker = "api"

// performed records how the act ended, beside the answer.
func (c *call) performed(act events.Act, began time.Time, err error) {
	ended := c.opts.Now()
	act.Outcome, act.Code = c.outcome(err)
	act.DurationMS = max(0, ended.Sub(began).Milliseconds())
	fact := events.ActPerformed{What: act, Span: c.span()}
	ev, err := events.New(c.scope, worker, c.cause(), ended, fact)
	if err != nil {
		c.opts.Log.ErrorContext(c.ctx(), "an act is not on record", "requestId", c.requestID, "act", act.Name, "error", err)
		return
	}
	s, id := c.scope, c.requestID // the call is gone when it runs
	c.server.beside(c.ctx(), func(ctx context.Context) {
		if err := c.server.insist(ctx, s, ev); err != nil {
			c.server.opts.Log.ErrorContext(ctx, "how an act ended is not on record", "requestId", id, "act", act.Name, "outcome", act.Outcome, "error", err)
		}
	})
}

// outcome is how an act ended, as the client is told.
func (c *call) outcome(err error) (events.Outcome, string) {
	if err == nil {
		return events.OutcomeSucceeded, ""
	}
	f, status := c.classify(err)
	switch {
	case f == errClientLeft:
		return events.OutcomeCancelled, f.Code
	case f.Code == "deadline_exceeded":
		return events.OutcomeTimeout, f.Code
	case status < 500:
		return events.OutcomeRefused, clip(f.Code, 64)
	}
	return events.OutcomeFailed, clip(f.Code, 64)
}

// beside runs f beside the request's answer.
func (s *server) beside(ctx context.Context, f func(ctx context.Context)) {
	if err := s.opts.Background(ctx, f); err != nil { // the request is over already
		s.opts.Log.ErrorContext(ctx, "what follows an answer cannot be done", "error", err)
	}
}

// insist publishes, and tries again for some seconds.
func (s *server) insist(ctx context.Context, scope tenants.Scope, evs ...events.Event) error {
	for try := 1; ; try++ {
		err := s.Publisher.Publish(ctx, scope, evs...)
		if err == nil || try == 3 || !fault.Retryable(err) {
			return err
		}
		select {
		case <-time.After(time.Duration(try) * time.Second):
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
	}
}

// clip cuts a text to so many characters.
func clip(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most])
}
