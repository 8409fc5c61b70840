package consumers

import (
	"context"
	"time"

	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
)

const (
	// postponeFrom is the attempt from which on the ledger is told that one has failed: most that fail once do not fail twice.
	postponeFrom = 2
	// postponeLimit is how long the ledger may take to hear of it.
	postponeLimit = 5 * time.Second
)

// Postpone tells the ledger why events of one tenant are going to be tried again, and when: whoever asks for their
// documents is told. It is of no consequence otherwise, and may be left out.
func (u *Undertaker) Postpone(ctx context.Context, s tenants.Scope, ds []Deceased, due []time.Time) error {
	var ps []corpus.Progress
	for i, d := range ds {
		w, onItsWay, err := u.work(ctx, s, d)
		if err != nil {
			return err
		}
		if !onItsWay {
			continue
		}
		ps = append(ps, corpus.Progress{
			DocumentRef: w.DocumentRef, Slice: w.Slice, Stage: corpus.Stage(d.Stage), Attempts: d.Attempts,
			Code: d.Code, Message: d.Message, Retry: due[i], Cause: d.Event.Cause(),
		})
	}
	if len(ps) == 0 {
		return nil
	}
	_, err := u.ledger.Advance(ctx, s, ps)
	return err
}

// postpone tells of the messages that have failed more than once and come again, in one call for each group. What comes of
// that changes no verdict.
func (b *batch) postpone(ctx context.Context, groups []*group) {
	ctx, cancel := context.WithTimeout(ctx, postponeLimit)
	defer cancel()
	b.each(groups, func(g *group) {
		var ds []Deceased
		var due []time.Time
		for i, m := range g.where {
			if b.errs[m] == nil || b.dead[m] || b.messages[m].Attempts < postponeFrom || g.route.Stage == "" {
				continue
			}
			ds = append(ds, b.buried(m, g.route, g.deliveries[i].Event))
			due = append(due, b.options.Now().Add(b.delay(b.messages[m], b.errs[m])).UTC())
		}
		if len(ds) == 0 {
			return
		}
		if err := b.undertaker.Postpone(ctx, g.scope, ds, due); err != nil {
			b.options.Log.WarnContext(ctx, "retries not noted", "tenantId", g.scope.Tenant(), "events", len(ds), "error", err.Error())
		}
	})
}
