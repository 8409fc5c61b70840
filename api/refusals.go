package api

import (
	"context"
	"maps"
	"sync"
	"time"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// refusals gathers access that was refused, until it is put on record: equal ones as one, with their number. So whoever knocks a thousand times a
// second makes one entry in that many seconds, and costs one message; and however many knock, the isolate remembers so many of them at most.
type refusals struct {
	mu      sync.Mutex
	waiting map[refusal]*refused
	telling bool // somebody is going to tell
}

// refusal is what makes two of them equal.
type refusal struct {
	tenant tenants.ID
	code   string
	actor  string // the name of a key of the tenant's own
	name   string // what such a key was not let in to; a stranger, who may knock everywhere, is one
}

// refused is the first of some equal ones, and how many there are.
type refused struct {
	scope tenants.Scope
	act   events.Act
	span  string
	cause events.Cause
	at    time.Time
}

const (
	gatherFor   = 5 * time.Second // until what was gathered is told
	maxRefusals = 512             // that are told apart
	elsewhere   = "several routes"
)

// onRecord are the failures that are refused access. Of the others nobody knows whom they are for, or they are the caller's mistakes.
func onRecord(code string) bool {
	switch code {
	case "unauthorized", "tenant_mismatch", "scope_denied", "origin_denied", "signature_invalid":
		return true
	}
	return false
}

// refused notes that the caller was not let in. A tenant has to be known: it is recorded with the one that was asked for.
func (c *call) refused(err error) {
	f := fault.As(err)
	if c.config == nil || c.route == nil || c.inside && c.listing || !onRecord(f.Code) {
		return
	}
	s, err := tenants.Admit(c.config)
	if err != nil {
		return
	}
	act := events.Act{
		Kind: events.ActAccess, Name: clip(c.r.Method+" "+c.route.pattern, 128), RequestID: c.requestID, Outcome: events.OutcomeRefused, Code: f.Code,
	}
	if c.key != nil && c.key.grant != nil && c.key.grant.Opens(c.config.ID) { // how others call their keys is theirs
		act.Actor = clip(c.key.grant.ActorAt(c.config.ID), 128)
	}
	if c.route.signed {
		act.Target = clip("sources/"+c.r.PathValue("sourceId"), 512)
	}
	if c.refusals.note(&refused{scope: s, act: act, span: c.span(), cause: c.cause(), at: c.opts.Now()}) {
		c.server.beside(c.ctx(), c.server.tellRefusals)
	}
}

// note counts a refusal. It reports whether the caller has to see to it that it is told.
func (r *refusals) note(x *refused) (tell bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.add(x)
	tell = !r.telling
	r.telling = true
	return tell
}

func (r *refusals) add(x *refused) {
	key := refusal{tenant: x.scope.Tenant(), code: x.act.Code, actor: x.act.Actor}
	if key.actor != "" {
		key.name = x.act.Name
	}
	if r.waiting == nil {
		r.waiting = map[refusal]*refused{}
	}
	known := r.waiting[key]
	if known == nil && len(r.waiting) >= maxRefusals { // there are no more apart
		for first := range r.waiting {
			delete(r.waiting, first)
			break
		}
	}
	if known == nil {
		x.act.Count = 1
		r.waiting[key] = x
		return
	}
	known.act.Count++
	if known.act.Name != x.act.Name {
		known.act.Name = elsewhere
	}
	if known.act.Target != x.act.Target {
		known.act.Target = ""
	}
}

// take takes what was gathered.
func (r *refusals) take() map[refusal]*refused {
	r.mu.Lock()
	defer r.mu.Unlock()
	gathered := r.waiting
	r.waiting, r.telling = nil, false
	return gathered
}

// tellRefusals waits for more of them, and puts them on record: one message for each tenant. What cannot be told for some seconds is in the log.
func (s *server) tellRefusals(ctx context.Context) {
	select {
	case <-time.After(gatherFor):
	case <-ctx.Done(): // there is no time to wait for more
	}
	byTenant := map[tenants.Scope][]events.Event{}
	for _, x := range s.refusals.take() {
		ev, err := events.New(x.scope, worker, x.cause, x.at, events.AccessRefused{What: x.act, Span: x.span})
		if err != nil {
			s.opts.Log.ErrorContext(ctx, "refused access is not on record", "tenantId", x.scope.Tenant(), "error", err)
			continue
		}
		byTenant[x.scope] = append(byTenant[x.scope], ev)
	}
	for scope := range maps.Keys(byTenant) {
		if err := s.insist(ctx, scope, byTenant[scope]...); err != nil {
			s.opts.Log.ErrorContext(ctx, "refused access is not on record", "tenantId", scope.Tenant(), "entries", len(byTenant[scope]), "error", err)
		}
	}
}
