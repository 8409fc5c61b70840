package transfer_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/infra/memory"
	"levada.dev/workflows/flow/flowtest"
	"levada.dev/workflows/job"
)

// TestEachCallOfTheDestinationIsLost fails each call of the destination's ledger, parts and texts once while a last run goes on: before it has done
// anything, and when all of it has happened.
func TestEachCallOfTheDestinationIsLost(t *testing.T) {
	world := func(t *testing.T) (*move, *flowtest.Engine) {
		m := newMove(t)
		for i := range 3 {
			m.from.put(m.acme, fmt.Sprintf("doc-%d", i), fmt.Sprintf("Rain on the field %d.", i))
		}
		m.goOn()
		m.talk()
		m.clock.advance(time.Minute)
		require.Equal(t, job.Succeeded, m.bring(false).State)
		m.talkOn()
		m.from.put(m.acme, "doc-1", "It has changed.")
		m.from.put(m.acme, "doc-9", "It is new.")
		m.from.delete(m.acme, "doc-2")
		m.goOn()
		m.from.freeze(m.acme, true)
		return m, m.begin(true, false)
	}
	hooks := func(p *pool) map[string]*memory.Hooks {
		return map[string]*memory.Hooks{"ledger": &p.ledger.Hooks, "parts": &p.parts.Hooks, "texts": &p.texts.Hooks, "sessions": &p.sessionsKept.Hooks, "shelf": &p.shelf.Hooks}
	}
	m, e := world(t)
	calls := map[string]int{}
	for name, h := range hooks(m.to) {
		h.Before = func(op string) error {
			calls[name+" "+op]++
			return nil
		}
	}
	require.NoError(t, e.Run(t.Context()))
	for _, op := range []string{"ledger noteTransfer", "ledger endTransfer", "ledger cards", "ledger openImport", "ledger delete", "parts put", "texts put", "sessions take", "sessions drop", "shelf places"} {
		assert.Positive(t, calls[op], op)
	}
	for call, times := range calls {
		for n := range min(times, 3) {
			for _, after := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s %d, after it %t", call, n, after), func(t *testing.T) {
					m, e := world(t)
					seen := 0
					for name, h := range hooks(m.to) {
						fail := func(op string) error {
							if name+" "+op != call {
								return nil
							}
							if seen++; seen == n+1 {
								return fault.Unavailablef(nil, "lost", "it was lost")
							}
							return nil
						}
						if after {
							h.After = fail
						} else {
							h.Before = fail
						}
					}
					require.NoError(t, e.Run(t.Context()))
					m.goOn()
					j := m.to.job(m.acme, e.ID)
					assert.Equal(t, job.Succeeded, j.State, "%+v", j.Errors)
					assert.True(t, j.Transfer.Verified)
					m.arrived(t)
					for _, h := range hooks(m.to) {
						h.Before, h.After = nil, nil
					}
					m.sameTalks(t)
				})
			}
		}
	}
}
