package api

import (
	"fmt"
	"net/http"
	"runtime/debug"

	"levada.dev/events/fault"
	"levada.dev/events/trace"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
)

// steps takes a request from its route to its handler. Each step is a promise to the next: after resolve there is a
// tenant, after authenticate a scope, after permit a place within the tenant's rates, after readBody a body of an allowed
// size and type.
func (c *call) steps() error {
	if c.route.scope == public {
		return c.route.handle(c)
	}
	if err := c.admit(); err != nil {
		return err
	}
	err := c.serve()
	if err != nil && !c.asked && !c.route.signed { // it failed before it was known who asks, and was a request all the same
		if limited := c.permit("", quota.Amount{}); limited != nil {
			return limited
		}
	}
	return err
}

// serve is the steps of a request that was let in.
func (c *call) serve() error {
	if !c.route.namesUser && !c.route.signed {
		if err := c.permitHeader(); err != nil {
			return err
		}
	}
	if err := c.route.checkQuery(c.r.URL.RawQuery); err != nil {
		return err
	}
	if c.route.idempotent {
		if err := c.readIdempotencyKey(); err != nil {
			return err
		}
	}
	if c.route.body != noBody {
		defer c.dropBody()
		if err := c.readBody(); err != nil {
			return err
		}
	}
	return c.perform()
}

// admit lets the caller act for a tenant, or not.
func (c *call) admit() error {
	began := c.opts.Now()
	if err := c.resolve(); err != nil {
		return err
	}
	c.allowOrigin()
	if c.route.signed {
		var err error
		if c.scope, err = tenants.Admit(c.config); err != nil {
			return err
		}
	} else if err := c.authenticate(); err != nil {
		return err
	}
	c.seen.For(c.scope) // so is what begins in it
	c.stage("auth", began)
	return nil
}

// finish turns a panic into an answer and writes the line of the log. It runs last, on every path.
func (c *call) finish() {
	if p := recover(); p != nil {
		if p == http.ErrAbortHandler {
			panic(p)
		}
		err := fault.New(fault.Internal, "panic", "", fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		if c.w.status != 0 {
			c.err = err
			c.cut()
		}
		c.fail(err)
	}
	c.log()
}

// cut ends an answer whose head is out, so that the client knows that it is not whole.
func (c *call) cut() {
	c.broken = true
	c.log()
	panic(http.ErrAbortHandler)
}

// log ends the span of the request, of which its one line of the log is made: never bodies, keys or queries.
func (c *call) log() {
	switch {
	case c.scope.Check() == nil:
		c.seen.For(c.scope)
	case c.config != nil && c.r.Method != http.MethodOptions: // it was not let in. What a browser asks before is in the log alone: what it asks then is counted
		if s, err := tenants.Resume(string(c.config.ID)); err == nil {
			c.seen.For(s)
			if c.key != nil && c.key.grant != nil && c.key.grant.Opens(c.config.ID) {
				c.seen.Unkept()
			} else {
				c.seen.Stranger()
			}
		}
	}
	c.seen.Named(c.pattern())
	c.seen.Note(func(f *trace.Facts) {
		f.RequestID, f.Method, f.Status, f.Cache, f.Outcome = c.requestID, c.r.Method, c.w.status, string(c.cache), c.ending()
		if c.report != nil {
			if v := c.report.Worst(); v.Found() {
				f.Safety, f.Rule = string(v.Kind), v.Rule
			}
		}
	})
	c.seen.EndAt(c.ctx(), c.opts.Now(), c.err)
}

// ending is how the request ended, as its answer says; "" leaves that to the error of an answer that had begun.
func (c *call) ending() trace.Outcome {
	switch status := c.w.status; {
	case status == statusClientLeft || c.err == errClientLeft:
		return trace.Left
	case status >= http.StatusInternalServerError || c.broken:
		return trace.Failed
	case status >= http.StatusBadRequest:
		return trace.Refused
	}
	return ""
}

func (c *call) pattern() string {
	if c.route == nil {
		return ""
	}
	return c.route.pattern
}
