package e2e

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"levada.dev/events"
	"levada.dev/infra/dev"
	"levada.dev/infra/stack"
)

// Documents are accepted while their queue refuses messages, or takes them without a word: they wait in the ledger's outbox, go on their way some
// seconds after the queue is back, and what was sent twice does no more than once.
func TestQueuesAreDown(t *testing.T) {
	one, two := newcomer(t, "queues"), newcomer(t, "queues")
	mend := wrong(t, platform, stack.Objects,
		dev.Disturbance{Calls: "queue", Binding: "INGEST", Mood: dev.Fails, Error: dev.QueueFailed, Times: 1},
		dev.Disturbance{Calls: "queue", Binding: "INGEST", Mood: dev.Loses, Error: dev.QueueOverloaded, Times: 1})
	accs := map[user]accepted{}
	for _, u := range []user{one, two} {
		accs[u] = u.ingest(document{DocID: "raft", Text: "The raft of " + u.tenant + " carries wool."})
	}
	for u, acc := range accs {
		assert.Equal(t, "succeeded", u.finished(acc.JobID).State)
	}
	assert.Equal(t, 2, struck(t, platform, stack.Objects))
	mend()
	settled(t, platform)
	for u := range accs {
		d := u.document("raft")
		assert.Equal(t, []any{1, 1, "indexed", 1}, []any{d.Generation, d.Searchable, d.State, d.Chunks})
		told := map[string]int{}
		for _, e := range trail(t, sharedState, u.tenant) {
			told[e.Type]++
		}
		assert.Equal(t, []int{1, 1}, []int{told[events.TypeDocumentSubmitted], told[events.TypeDocumentIndexed]}, "%v", told)
		assert.Empty(t, u.letters(""))
	}
}

// A stage whose consumer cannot pass a tenant's work on does it again later; the other tenant's goes on.
func TestTheNextQueueIsDown(t *testing.T) {
	one, two := newcomer(t, "queues"), newcomer(t, "queues")
	mend := wrong(t, platform, stack.Consumers, dev.Disturbance{Calls: "queue", Binding: "EMBED", Tenant: one.tenant, Mood: dev.Fails, Error: dev.QueueOverloaded})
	d := document{DocID: "oar", Text: "The oar is made of ash."}
	acc := one.ingest(d)
	two.index(d)
	eventually(t, "it is tried, in vain", func() bool { return struck(t, platform, stack.Consumers) > 1 })
	assert.Equal(t, "submitted", one.document("oar").State, "what the next stage does not know is not done")
	mend()
	assert.Equal(t, "succeeded", one.finished(acc.JobID).State)
	for _, u := range []user{one, two} {
		v := u.document("oar")
		assert.Equal(t, []any{1, 1, 1}, []any{v.Generation, v.Searchable, v.Chunks})
		assert.Empty(t, u.letters(""))
	}
}
