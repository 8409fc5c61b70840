package deploy

import (
	"context"
	"net/http"
	"time"

	"levada.dev/infra/stack"
)

// queueSettings are those of a queue, in seconds.
// https://developers.cloudflare.com/api/resources/queues/methods/edit/
type queueSettings struct {
	DeliveryDelay int  `json:"delivery_delay"`
	Paused        bool `json:"delivery_paused"`
	Retention     int  `json:"message_retention_period"`
}

// usualRetention is that of a queue of which nothing is said.
// https://developers.cloudflare.com/queues/configuration/configure-queues/
const usualRetention = 4 * 24 * time.Hour

// settingsOf are a queue's as they are wanted: what comes is delivered at once, and kept for as long as the table says.
func settingsOf(q stack.Queue) queueSettings {
	keep := q.Retention
	if keep == 0 { // as in the tables of releases that said nothing
		keep = usualRetention
	}
	return queueSettings{Retention: int(keep / time.Second)}
}

// differs says where a queue's settings are not as they should be; of an answer that has none nothing is known.
func (q *liveQueue) differs(want queueSettings) []string {
	if q.Settings == nil {
		return nil
	}
	return diff("", want, *q.Settings)
}

// queueSettings mends the settings of queues that are there. It comes late in a plan: a queue that somebody paused is resumed once the
// versions have their traffic that are to do its work. On a way back it is as it was found when all began: who paused it did so because of
// the versions that are back.
func (p *planner) queueSettings(found map[string]*liveQueue) {
	for _, q := range p.desired.Stack.Queues {
		name, want := p.Unit.Name(q.Name), settingsOf(q)
		have := p.live.queues[name]
		if have == nil {
			continue
		}
		if was := found[name]; was != nil && was.Settings != nil {
			want.Paused = was.Settings.Paused
		}
		a := Action{Kind: "queue", Name: name, Why: have.differs(want), do: func(ctx context.Context, r *run) error {
			return r.setQueue(ctx, have.ID, want)
		}}
		if len(a.Why) == 0 {
			continue // it was said to be the same where it stands in the order
		}
		was, known := before(p, func(s *stack.Stack) []stack.Queue { return s.Queues }, func(x stack.Queue) bool { return x.Name == q.Name })
		p.settle(a, known && settingsOf(was) == want)
	}
}

func (r *run) setQueue(ctx context.Context, id string, want queueSettings) error {
	return r.account.Do(ctx, http.MethodPatch, r.account.Path("queues", id), map[string]any{"settings": want}, nil)
}
