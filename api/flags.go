package api

import (
	"cmp"
	"context"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/safety"
)

// flags is what is put on record of what the policy has found in a request's texts: one entry, and none where nothing was found. It has what it
// needs of the request, which may be over by then.
type flags struct {
	server *server
	scope  tenants.Scope
	report *safety.Report
	act    events.Act
	span   string
	cause  events.Cause
}

func (c *call) flags() *flags {
	user := cmp.Or(c.user, c.r.Header.Get(userHeader))
	if checkUser(userHeader, user) != nil {
		user = ""
	}
	return &flags{server: c.server, scope: c.scope, report: c.noted(), span: c.span(), cause: c.cause(), act: events.Act{
		Kind: events.ActSafety, Name: clip(c.r.Method+" "+c.route.pattern, 128), Actor: clip(c.keyName(), 128), UserID: user, RequestID: c.requestID,
	}}
}

// flagged puts on record, beside the answer, what was found in the texts of a request that has ended with err.
func (c *call) flagged(err error) {
	if c.report == nil || !c.report.Worst().Found() {
		return
	}
	f := c.flags()
	c.server.beside(c.ctx(), func(ctx context.Context) { f.tell(ctx, err) })
}

// tell puts on record what was found. Of a request over a rate nothing is: it was not answered, and its sender could send as many as they like. What is not taken for some seconds is in the log.
func (f *flags) tell(ctx context.Context, err error) {
	f.act.Findings = f.report.Findings()
	if len(f.act.Findings) == 0 || fault.Is(err, fault.Limited) {
		return
	}
	f.act.Outcome = events.OutcomeFlagged
	if refused := fault.As(err); err != nil && refused.Code == safety.CodeBlocked {
		f.act.Outcome, f.act.Code = events.OutcomeRefused, refused.Code
	}
	ev, err := events.New(f.scope, worker, f.cause, f.server.opts.Now(), events.TextFlagged{What: f.act, Span: f.span})
	if err == nil {
		err = f.server.insist(ctx, f.scope, ev)
	}
	if err != nil {
		f.server.opts.Log.ErrorContext(ctx, "what was flagged is not on record", "tenantId", f.scope.Tenant(), "requestId", f.act.RequestID, "error", err)
	}
}
