package book

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/events/meter"
	"levada.dev/events/meter/alert"
	"levada.dev/events/meter/view"
	"levada.dev/events/outbox"
	"levada.dev/tenants"
	"levada.dev/tenants/call"
	"levada.dev/tenants/rows"
)

const (
	rulePrefix = "a/" // <id>: a rule, and how it stands

	// worker is the object's name in the source of its events.
	worker = "meters"
	// lookEvery is how often rules are looked at.
	lookEvery = time.Minute
)

// rule is the row of a rule.
type rule struct {
	Rule  alert.Rule `json:"r"`
	Key   string     `json:"k,omitempty"` // of the order, and whether that
	Named bool       `json:"n,omitempty"` // had the rule's id
	Since time.Time  `json:"s"`           // it stands as it does
	Fires bool       `json:"f,omitempty"`
}

// rules are all of the tenant's, by their ids.
func rules(tx rows.Tx) ([]rule, error) {
	found, err := tx.Scan(rulePrefix, alert.MaxRules+1)
	if err != nil {
		return nil, fmt.Errorf("meters: scan: %w", err)
	}
	all := make([]rule, len(found))
	for i, row := range found {
		if err := json.Unmarshal(row.Value, &all[i]); err != nil {
			return nil, fmt.Errorf("meters: %.80q: %w", row.Key, err)
		}
	}
	return all, nil
}

// Set implements alert.Rules.
func (b *Book) Set(tx rows.Tx, s tenants.Scope, o alert.Order) (alert.Taken, error) {
	var none alert.Taken
	if err := o.Rule.Check(); err != nil {
		return none, err
	}
	all, err := rules(tx)
	if err != nil {
		return none, err
	}
	now := b.now().UTC().Truncate(time.Millisecond)
	next := rule{Rule: o.Rule, Key: o.Key, Named: o.Rule.ID != "", Since: now}
	if !next.Named {
		next.Rule.ID = o.NewID
	}
	if i := slices.IndexFunc(all, func(r rule) bool { return o.Key != "" && r.Key == o.Key }); i >= 0 {
		if !all[i].same(next) {
			return none, fault.New(fault.Conflict, "idempotency_conflict", "the Idempotency-Key was used for another rule", nil)
		}
		return b.taken(tx, all[i], false)
	}
	i := slices.IndexFunc(all, func(r rule) bool { return r.Rule.ID == next.Rule.ID })
	switch {
	case i < 0 && len(all) >= alert.MaxRules:
		return none, fault.New(fault.Conflict, "alerts_full", fmt.Sprintf("there are %d alerts, which is all there may be", alert.MaxRules), nil).
			WithHint("DELETE /metrics/alerts/{id} removes one")
	case i >= 0 && all[i].looks() == next.looks():
		next.Since, next.Fires = all[i].Since, all[i].Fires
	case i >= 0 && all[i].Fires:
		if err := b.resolve(tx, s, all[i], nil, events.AlertChanged); err != nil {
			return none, err
		}
	}
	if err := rows.Write(tx, rulePrefix+next.Rule.ID, next); err != nil {
		return none, err
	}
	return b.taken(tx, next, i < 0)
}

// same reports whether an order is that which made the rule.
func (r rule) same(o rule) bool {
	if !o.Named && !r.Named {
		o.Rule.ID = r.Rule.ID
	}
	return r.Named == o.Named && r.Rule == o.Rule
}

// looks is what a rule looks at, whatever it is called.
func (r rule) looks() alert.Rule {
	of := r.Rule
	of.ID, of.Name = "", ""
	return of
}

func (b *Book) taken(tx rows.Tx, r rule, fresh bool) (alert.Taken, error) {
	all, err := b.standing(tx, []rule{r})
	if err != nil {
		return alert.Taken{}, err
	}
	return alert.Taken{Alert: all[0], Fresh: fresh}, nil
}

// List implements alert.Rules.
func (b *Book) List(tx rows.Tx) ([]alert.Alert, error) {
	all, err := rules(tx)
	if err != nil {
		return nil, err
	}
	out, err := b.standing(tx, all)
	slices.SortStableFunc(out, func(x, y alert.Alert) int {
		return cmp.Or(strings.Compare(x.Name, y.Name), strings.Compare(x.ID, y.ID))
	})
	return out, err
}

// standing tells how rules stand, by what is counted now.
func (b *Book) standing(tx rows.Tx, all []rule) ([]alert.Alert, error) {
	st, err := b.state(tx)
	if err != nil {
		return nil, err
	}
	sums, err := b.sums(tx, st, all)
	out := make([]alert.Alert, len(all))
	for i, r := range all {
		out[i] = alert.Alert{Rule: r.Rule, State: alert.OK, Since: r.Since, Unit: r.Rule.Unit()}
		if r.Fires {
			out[i].State = alert.Firing
		}
		if err == nil {
			out[i].Value, _ = r.Rule.Read(sums[r.Rule.Period])
		}
	}
	return out, err
}

// Drop implements alert.Rules.
func (b *Book) Drop(tx rows.Tx, s tenants.Scope, id string) error {
	missing := fault.Missing("alert_not_found", "no alert %.80q", id).WithHint("GET /metrics/alerts lists them")
	var r rule
	found, err := rows.Read(tx, rulePrefix+id, &r)
	if err != nil {
		return err
	}
	if !found {
		return missing
	}
	if r.Fires {
		if err := b.resolve(tx, s, r, nil, events.AlertRemoved); err != nil {
			return err
		}
	}
	if err := tx.Delete(rulePrefix + id); err != nil {
		return fmt.Errorf("meters: delete: %w", err)
	}
	return nil
}

// look looks at each rule, tells of those that begin to hold or end, once, and says when to look again; zero when there is none.
func (b *Book) look(tx rows.Tx, st state) (next time.Time, err error) {
	s, err := call.Owner(tx)
	if err != nil || s.Check() != nil { // or it has not served anybody
		return next, err
	}
	all, err := rules(tx)
	if err != nil || len(all) == 0 {
		return next, err
	}
	sums, err := b.sums(tx, st, all)
	if err != nil {
		return next, err
	}
	now := b.now().UTC().Truncate(time.Millisecond)
	for _, r := range all {
		value, holds := r.Rule.Read(sums[r.Rule.Period])
		if holds == r.Fires {
			continue
		}
		if r.Fires {
			err = b.resolve(tx, s, r, value, events.AlertEnded)
		} else {
			r.Since = now
			err = b.tell(tx, s, r, events.AlertFired{AlertRef: refOf(r), Value: *value})
		}
		if err != nil {
			return next, err
		}
		r.Fires, r.Since = holds, now
		if err := rows.Write(tx, rulePrefix+r.Rule.ID, r); err != nil {
			return next, err
		}
	}
	return now.Truncate(lookEvery).Add(lookEvery), nil
}

// sums are what was counted in each period that a rule looks at. What is in several is read once, for the longest.
func (b *Book) sums(tx rows.Tx, st state, all []rule) (map[alert.Period]*view.Sum, error) {
	now := b.now()
	sums := map[alert.Period]*view.Sum{}
	longest := map[time.Duration]query{} // by their steps
	type since struct {
		from time.Time
		sum  *view.Sum
	}
	of := map[time.Duration][]since{} // likewise; all that have a step end alike
	for _, r := range all {
		if sums[r.Rule.Period] != nil {
			continue
		}
		q, sum := r.Rule.Period.Query(now), &view.Sum{}
		sums[r.Rule.Period], of[q.Step] = sum, append(of[q.Step], since{q.From, sum})
		if l, known := longest[q.Step]; !known || q.From.Before(l.From) {
			longest[q.Step] = query{From: q.From, To: q.To, Step: q.Step}
		}
	}
	for step, l := range longest {
		count := func(second int64, set *meter.Set) error {
			for _, s := range of[step] {
				if !time.Unix(second, 0).Before(s.from) {
					s.sum.Add(set)
				}
			}
			return nil
		}
		err := b.walk(tx, st, l, func(at int64, text []byte) (bool, error) {
			var set meter.Set
			if err := gather(&set, text); err != nil {
				return false, err
			}
			return true, count(at, &set)
		}, count)
		if err != nil {
			return nil, err
		}
	}
	return sums, nil
}

func refOf(r rule) events.AlertRef {
	return events.AlertRef{
		Alert: r.Rule.ID, Name: r.Rule.Name, Metric: r.Rule.Metric, Comparator: string(r.Rule.Comparator), Threshold: r.Rule.Threshold,
		Unit: r.Rule.Unit(), Period: string(r.Rule.Period), FiredAt: r.Since,
	}
}

// resolve tells that a rule that was firing does not any more.
func (b *Book) resolve(tx rows.Tx, s tenants.Scope, r rule, value *float64, reason string) error {
	return b.tell(tx, s, r, events.AlertResolved{AlertRef: refOf(r), Value: value, Reason: reason})
}

// tell takes a fact into the outbox. What happened first goes first.
func (b *Book) tell(tx rows.Tx, s tenants.Scope, r rule, f events.Fact) error {
	now := b.now()
	ev, err := events.New(s, worker, events.Cause{ID: "alerts/" + r.Rule.ID}, now, f)
	if err != nil {
		return err
	}
	return outbox.Put(tx, fmt.Sprintf("%013d.%s.%s", now.UnixMilli(), r.Rule.ID, ev.ID), ev)
}
