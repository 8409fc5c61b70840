package api

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"levada.dev/events/fault"
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

// log writes the one line of a request: never bodies, keys or queries.
func (c *call) log() {
	level, now := slog.LevelInfo, c.opts.Now()
	attrs := make([]slog.Attr, 0, 12)
	attrs = append(attrs,
		slog.String("requestId", c.requestID),
		slog.String("traceId", c.traceID),
		slog.String("tenantId", c.tenant()),
		slog.String("method", c.r.Method),
		slog.String("route", c.pattern()),
		slog.Int("status", c.w.status),
		slog.Float64("latencyMs", milliseconds(now.Sub(c.start))),
	)
	if c.cache != "" {
		attrs = append(attrs, slog.String("cache", string(c.cache)))
	}
	if c.report != nil {
		if v := c.report.Worst(); v.Found() {
			attrs = append(attrs, slog.String("safety", string(v.Kind)), slog.String("safetyRule", v.Rule))
		}
	}
	if c.err != nil {
		attrs = append(attrs, slog.String("code", fault.As(c.err).Code))
	}
	if c.w.status >= http.StatusInternalServerError || c.broken {
		level = slog.LevelError
		if c.err != nil {
			attrs = append(attrs, slog.String("error", c.err.Error()))
		}
	}
	if h := c.opts.Log.Handler(); h.Enabled(c.ctx(), level) {
		line := slog.NewRecord(now, level, "request", 0) // a Logger would also find out where it was called from
		line.AddAttrs(attrs...)
		_ = h.Handle(c.ctx(), line)
	}
}

// tenant is the one the request was for, also when it was not let in.
func (c *call) tenant() string {
	if c.config == nil {
		return ""
	}
	return string(c.config.ID)
}

func (c *call) pattern() string {
	if c.route == nil {
		return ""
	}
	return c.route.pattern
}
