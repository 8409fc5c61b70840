package api

import (
	"context"
	"net/http"
	"path"
	"strconv"
	"time"

	"levada.dev/events/trace"
	"levada.dev/events/watch"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/workflows/rag"
	"levada.dev/workflows/safety"
)

// call is one request on its way through the steps, and what they have found out about it.
type call struct {
	*server
	route *route
	r     *http.Request
	w     *response

	out response // what w points to

	requestID   string
	traceID     string
	traceParent string // our own span, child of the caller's when it sent one
	start       time.Time
	seen        *watch.Span
	stages      []byte    // server-timing so far
	timing      [192]byte // room for it

	key            *credential
	config         *tenants.Config
	scope          tenants.Scope
	inside         bool  // it is part of another request, which has its permit
	lent           int64 // of the room for bodies, which that request holds: what is inside it was part of its body
	listing        bool  // it asks what there is for the caller: that there is nothing is no refusal
	changes        bool  // as route.writes, where the body decides: its own, or that of the request it is part of
	asked          bool  // the gate, for the request's permit
	idempotencyKey string
	body           []byte
	taken          int64 // of the room for bodies
	cache          rag.CacheUse
	user           string         // the tenant's own name for who asks, as far as it is known
	report         *safety.Report // of what the policy has found in the texts; nil where nothing is asked of any
	turned         bool           // a turn has the report, and tells it when it is over
	err            error          // what the answer was, for the log
	broken         bool           // the answer was cut short
}

type callKey struct{}

func callOf(r *http.Request) *call { return r.Context().Value(callKey{}).(*call) }

// ServeHTTP answers one request, which is noticed once (package watch). A panic costs this request alone.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.serveCall(w, r, nil) }

// serveCall answers a request that somebody sent, or one inside of it.
func (s *server) serveCall(w http.ResponseWriter, r *http.Request, outer *call) {
	c := &call{server: s, start: s.opts.Now(), r: r, out: response{ResponseWriter: w, head: r.Method == http.MethodHead}}
	if outer != nil {
		c.inside, c.changes, c.lent = true, outer.changes, outer.taken
		c.listing = outer.listing && r.Method == http.MethodGet // whatever the message says, what is called is no list
	}
	c.w, c.stages = &c.out, c.timing[:0]
	defer c.finish()
	place, parent, err := c.identify()
	ctx := r.Context()
	if outer != nil {
		ctx = outer.seen.Within(ctx) // it may have come by another way
	}
	ctx, c.seen = s.opts.Watch.Begin(ctx, trace.Request, "", place, parent)
	flat := s.flat[r.URL.Path] // the mux would find the same, and take longer
	if r.URL.RawPath != "" {
		flat = nil
	}
	if flat == nil {
		ctx = context.WithValue(ctx, callKey{}, c)
	}
	c.r = r.WithContext(ctx)
	if err != nil {
		c.fail(err)
		return
	}
	if flat != nil {
		flat.serve(c, c.r)
		return
	}
	if p := r.URL.EscapedPath(); path.Clean(p) != p {
		c.run(missing, c.r) // the mux would redirect, outside of the envelope
		return
	}
	s.mux.ServeHTTP(c.w, c.r)
}

// run takes the request through the steps to its route's handler and answers what goes wrong on the way.
func (c *call) run(rt *route, r *http.Request) {
	if rt.books != "" {
		r = r.WithContext(quota.Under(r.Context(), rt.books))
	}
	c.route, c.r = rt, r
	err := c.steps()
	if err != nil {
		c.refused(err)
	}
	if !c.turned {
		c.flagged(err)
	}
	switch {
	case err == nil:
	case c.w.status == 0:
		c.fail(err)
	case c.ctx().Err() != nil: // the head is out, and nobody is there for the rest
		c.err = errClientLeft
	default: // the head is out: all that is left to say is that what follows it is not whole
		c.err = err
		c.cut()
	}
}

// ctx ends when the client leaves.
func (c *call) ctx() context.Context { return c.r.Context() }

// stage ends a stage that began at the given time: server-timing shows it.
func (c *call) stage(name string, began time.Time) { c.timed(name, c.opts.Now().Sub(began)) }

func (c *call) timed(name string, d time.Duration) {
	if len(c.stages) > 0 {
		c.stages = append(c.stages, ", "...)
	}
	c.stages = append(c.stages, name...)
	c.stages = append(c.stages, ";dur="...)
	c.stages = appendMilliseconds(c.stages, d)
}

// timings is all of server-timing, as far as the request has come.
func (c *call) timings() string {
	c.timed("total", c.opts.Now().Sub(c.start))
	return string(c.stages)
}

// appendMilliseconds writes them as short as it goes: 12.5.
func appendMilliseconds(b []byte, d time.Duration) []byte {
	us := d.Microseconds()
	if us < 0 || us%1000 == 0 {
		return strconv.AppendFloat(b, trace.Milliseconds(d), 'f', -1, 64)
	}
	b = append(strconv.AppendInt(b, us/1000, 10), '.')
	for rest := us % 1000; rest > 0; rest = rest * 10 % 1000 {
		b = append(b, byte('0'+rest/100))
	}
	return b
}
