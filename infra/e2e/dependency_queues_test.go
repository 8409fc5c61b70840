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

// A stage whose consumer cannot pass its work on does it again later.
func TestTheNextQueueIsDown(t *testing.T) {
	u := newcomer(t, "queues")
	wrong(t, platform, stack.Consumers, dev.Disturbance{Calls: "queue", Binding: "EMBED", Mood: dev.Fails, Error: dev.QueueOverloaded, Times: 1})
	acc := u.ingest(document{DocID: "oar", Text: "The oar is made of ash."})
	assert.Equal(t, "succeeded", u.finished(acc.JobID).State)
	assert.Equal(t, 1, struck(t, platform, stack.Consumers))
	assert.Empty(t, u.letters(""))
}
