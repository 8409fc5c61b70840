package e2e

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/dev"
	"levada.dev/infra/local"
	"levada.dev/infra/stack"
	"levada.dev/workflows/letters"
)

// away is a dependency that one tenant does without for longer than anybody tries.
type away struct {
	tenant string
	down   dev.Disturbance
	queue  string // where the event of the tenant's document stays
	code   string // of its letter
	late   bool   // nobody can bury the event until the dependency is back: it waits in the queue of dead letters, each slice for itself
}

// What is away for a while is tried as often as the runbooks say. Then the document fails with the code of what was away and its event is a letter,
// while others' documents go through; when it is back the letter is replayed, and the document is found once. Minutes are seconds here.
func TestWhatIsAwayForAWhileLeavesALetter(t *testing.T) {
	t.Parallel()
	const attempts = 8
	all := []away{
		{"alder", dev.Disturbance{Calls: "r2", Binding: "CORPUS", Error: dev.R2Failed}, "ingest", "store_unavailable", false},
		{"birch", dev.Disturbance{Calls: "vectorize.write", Error: dev.IndexFailed}, "index", "index_unavailable", false},
		{"elm", dev.Disturbance{Calls: "ai", Error: dev.ConnectionLost}, "embed", "model_unavailable", false},
		{"fir", dev.Disturbance{Calls: "object", Binding: "LEDGER", Error: dev.Overloaded}, "ingest", "attempts_exhausted", true},
		{"hazel", dev.Disturbance{Calls: "queue", Binding: "EMBED", Error: dev.QueueOverloaded}, "ingest", "queue_unavailable", false},
		{"larch", dev.Disturbance{Calls: "object", Binding: "LEXICON", Error: dev.WasReset}, "index", "attempts_exhausted", true},
	}
	p, err := startWith(newState(t), local.Options{RetryDivisor: 40})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Stop()) })
	var down []dev.Disturbance
	for _, a := range all {
		a.down.Mood, a.down.Tenant = dev.Fails, a.tenant
		down = append(down, a.down)
	}
	mend := wrong(t, p, stack.Consumers, down...)

	const id = "ferry"
	text := func(tenant string) string {
		line := "The ferry of " + tenant + " crosses twice a day. "
		if tenant == "alder" { // what R2 keeps is what is too long to travel with its event
			return strings.Repeat(line, 500)
		}
		return line
	}
	jobs := map[string]string{}
	for _, a := range all {
		jobs[a.tenant] = asOn(t, p, a.tenant).ingest(document{DocID: id, Text: text(a.tenant)}).JobID
	}
	beside := asOn(t, p, "globex")
	beside.index(document{DocID: id, Text: text("globex")})
	require.Len(t, beside.search("When does the ferry cross?", nil).Sources, 1, "whose dependencies are there has its document")

	retrying := map[string]bool{}
	letter := func(a away) bool {
		u := asOn(t, p, a.tenant)
		if d := u.document(id); d.Why != nil && d.Why.Code == "retrying" {
			retrying[a.tenant] = true
		}
		ls := u.letters("reason=" + a.code)
		for _, l := range ls {
			assert.Equal(t, []any{id, 1, attempts}, []any{l.DocID, l.Generation, l.Attempts}, "%s: %+v", a.tenant, l)
		}
		return slices.ContainsFunc(ls, func(l letters.Letter) bool { return l.Queue == a.queue })
	}
	waits := func(late bool) {
		open := slices.DeleteFunc(slices.Clone(all), func(a away) bool { return a.late != late })
		eventually(t, "there are letters", func() bool {
			open = slices.DeleteFunc(open, letter)
			return len(open) == 0
		})
	}
	waits(false)
	for _, queue := range []string{"ingest", "embed", "index"} {
		eventually(t, queue+" has nothing left to try", func() bool {
			n, err := p.Queue(queue).Backlog(t.Context())
			require.NoError(t, err)
			return n == 0
		})
	}
	met, err := p.Struck(t.Context(), stack.Consumers)
	require.NoError(t, err)
	for i, a := range all {
		assert.GreaterOrEqual(t, met[i], attempts, a.tenant)
		u := asOn(t, p, a.tenant)
		assert.Empty(t, u.search("When does the ferry cross?", nil).Sources, a.tenant)
		if a.late {
			assert.Empty(t, u.letters(""), a.tenant)
			continue
		}
		assert.True(t, retrying[a.tenant], "%s: while it is tried, the document says so", a.tenant)
		j := u.finished(jobs[a.tenant])
		require.Len(t, j.Errors, 1, a.tenant)
		assert.Equal(t, []any{"failed", a.code}, []any{j.State, j.Errors[0].Code}, a.tenant)
	}

	mend()
	waits(true)
	settled(t, p)
	chunks := 0 // the other tenant's are in the index of another model
	for _, a := range all {
		u := asOn(t, p, a.tenant)
		assert.Equal(t, "failed", u.finished(jobs[a.tenant]).State, a.tenant)
		n := len(u.letters("reason=" + a.code))
		assert.True(t, n == 1 || a.late && n > 0, "%s has %d letters", a.tenant, n)
		done := u.replay(map[string]any{"codes": []string{a.code}})
		assert.Equal(t, []int{n, n, 0}, []int{done.Matched, done.Replayed, done.Remaining}, a.tenant)
	}
	for _, a := range all {
		u := asOn(t, p, a.tenant)
		eventually(t, a.tenant+"'s document is searchable", func() bool { return u.document(id).Searchable == 2 })
	}
	settled(t, p)
	for _, a := range all {
		u := asOn(t, p, a.tenant)
		d := u.document(id)
		assert.Equal(t, []any{"indexed", 2}, []any{d.State, d.Generation}, a.tenant)
		chunks += d.Chunks
		assert.Len(t, u.search("When does the ferry cross?", map[string]any{"topK": 20}).Sources, d.Chunks, a.tenant)
		assert.Empty(t, u.letters("replayed=false"), a.tenant)
		assert.Zero(t, u.replay(map[string]any{"codes": []string{a.code}}).Matched, a.tenant)
	}
	assert.Equal(t, chunks, vectors(t, p, "bge-m3"), "of one generation of each")
	assert.Equal(t, 1, beside.document(id).Generation)
	assert.Empty(t, beside.letters(""))
}
