package corpustest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/corpus"
)

func failed(ref events.DocumentRef, stage corpus.Stage) corpus.Progress {
	return corpus.Progress{DocumentRef: ref, Stage: stage, Code: "broken", Attempts: 4, Cause: events.Cause{ID: "event"}}
}

func retired(docID string, generation int) corpus.Progress {
	return corpus.Progress{DocumentRef: events.DocumentRef{DocID: docID, Generation: generation}, Stage: corpus.StageRetire}
}

// ask tells the ledger which texts the store has of a document.
func ask(t *testing.T, l Ledger, s tenants.Scope, docID string, texts ...string) corpus.Verdict {
	t.Helper()
	p := retired(docID, 1)
	p.Left = &corpus.Left{Texts: texts}
	return advance(t, l, s, p)[0]
}

// retiring has generations end in every way, and a newer one after each.
func retiring(t *testing.T, l Ledger) {
	acme, _ := tenantstest.Two(t)
	id := tenantstest.Fresh(t, "doc-")
	ends := []func(ref events.DocumentRef){
		func(ref events.DocumentRef) {
			p := chunked(ref, 1, 3)
			p.Derived = &corpus.Derived{TextKey: corpus.DerivedKey(document(t, l, acme, id).TextKey, "derived"), ContentType: "text/markdown", SHA256: "derived"}
			assert.Empty(t, advance(t, l, acme, p)[0].Retired, "it goes on")
			assert.True(t, advance(t, l, acme, indexed(ref, 0, 1, 3))[0].Complete)
		},
		func(ref events.DocumentRef) { advance(t, l, acme, failed(ref, corpus.StageChunk)) },
		func(ref events.DocumentRef) {
			_, err := l.Cancel(t.Context(), acme, ref.JobID)
			require.NoError(t, err)
		},
	}
	var want []corpus.Retired
	for n, end := range ends {
		ref := submit(t, l, acme, id, n+1)
		key := document(t, l, acme, id).TextKey
		end(ref)
		switch n {
		case 0:
			want = append(want, corpus.Retired{Generation: 1, Chunks: 3, Model: model, Texts: []string{key, corpus.DerivedKey(key, "derived")}, Stray: true})
		default:
			want = append(want, corpus.Retired{Generation: n + 1, Model: model, Texts: []string{key}, Stray: true})
		}
	}
	last := submit(t, l, acme, id, len(ends)+1)
	v := advance(t, l, acme, indexed(last, 0, 1, 9))[0]
	assert.Equal(t, corpus.Verdict{Complete: true, Retired: want}, v)
	for n := range ends {
		late := advance(t, l, acme, indexed(events.DocumentRef{DocID: id, Generation: n + 1, JobID: "late"}, 0, 1, 3))[0]
		assert.Equal(t, corpus.Verdict{Stale: true, Unwanted: n != 1, Retired: want}, late, "also to who comes late; the second had failed")
	}
	for range 2 {
		advance(t, l, acme, retired(id, 2))
	}
	want = append(want[:1:1], want[2])
	assert.Equal(t, want, advance(t, l, acme, indexed(last, 0, 1, 9))[0].Retired)
	assert.Equal(t, want, ask(t, l, acme, id).Retired)
	for _, r := range want {
		advance(t, l, acme, retired(id, r.Generation))
	}
	assert.Equal(t, complete, advance(t, l, acme, indexed(last, 0, 1, 9)))
	again := failed(events.DocumentRef{DocID: id, Generation: 2, JobID: "dead"}, corpus.StageChunk)
	assert.Equal(t, []corpus.Retired{{Generation: 2, Stray: true}}, advance(t, l, acme, again)[0].Retired, "who died late may have left something")
}

// sharing has a document begun again from what the failed generation was submitted with.
func sharing(t *testing.T, l Ledger) {
	acme, _ := tenantstest.Two(t)
	sub := submission(t, tenantstest.Fresh(t, "doc-"))
	_, err := corpus.Submit(t.Context(), l, acme, sub)
	require.NoError(t, err)
	one := events.DocumentRef{DocID: sub.DocID, Generation: 1, JobID: sub.JobID}
	derived := corpus.DerivedKey(sub.TextKey, "derived")
	assert.Equal(t, stale, advance(t, l, acme, failed(one, corpus.StageChunk)), "the newest keeps what it was submitted with")
	assert.Empty(t, ask(t, l, acme, sub.DocID, sub.TextKey, derived).Texts)

	re := corpus.Resubmission{DocID: sub.DocID, Generation: 1, JobID: tenantstest.Fresh(t, ""), Cause: events.Cause{ID: "replay"}}
	_, err = l.Resubmit(t.Context(), acme, re)
	require.NoError(t, err)
	two := events.DocumentRef{DocID: sub.DocID, Generation: 2, JobID: re.JobID}
	v := advance(t, l, acme, indexed(two, 0, 1, 3))[0]
	assert.Equal(t, []corpus.Retired{{Generation: 1, Model: model, Stray: true}}, v.Retired, "its text is the other's")
	assert.Empty(t, ask(t, l, acme, sub.DocID, sub.TextKey, derived).Texts)
	advance(t, l, acme, retired(sub.DocID, 1))

	three := submit(t, l, acme, sub.DocID, 3)
	advance(t, l, acme, failed(three, corpus.StageEmbed))
	assert.Empty(t, ask(t, l, acme, sub.DocID, sub.TextKey, derived, document(t, l, acme, sub.DocID).TextKey).Texts, "what is searchable stays as well")
	four := submit(t, l, acme, sub.DocID, 4)
	v = advance(t, l, acme, indexed(four, 0, 1, 3))[0]
	require.Len(t, v.Retired, 2)
	assert.Equal(t, corpus.Retired{Generation: 2, Chunks: 3, Model: model, Texts: []string{sub.TextKey}, Stray: true}, v.Retired[0])
	assert.Equal(t, []string{sub.TextKey, derived}, ask(t, l, acme, sub.DocID, sub.TextKey, derived).Texts)
}

// straying has the store show texts that no generation has.
func straying(t *testing.T, l Ledger) {
	acme, globex := tenantstest.Two(t)
	id := tenantstest.Fresh(t, "doc-")
	one := submit(t, l, acme, id, 1)
	advance(t, l, acme, indexed(one, 0, 1, 3))
	other := submit(t, l, acme, tenantstest.Fresh(t, "doc-"), 1)
	theirs := submit(t, l, globex, id, 1)
	coming := submission(t, id)
	texts := []string{
		corpus.TextKey(id, one.JobID, "fetched"), corpus.TextKey(id, other.JobID, "sum"), corpus.TextKey(id, theirs.JobID, "sum"), coming.TextKey,
		corpus.TextKey(other.DocID, other.JobID, "sum"), corpus.TextPrefix(id), corpus.TextPrefix(id) + "no-key",
	}
	assert.Equal(t, corpus.Verdict{}, ask(t, l, acme, id, texts...), "they are somebody's, or may become it")
	two := submit(t, l, acme, id, 2)
	advance(t, l, acme, indexed(two, 0, 1, 3))
	advance(t, l, acme, retired(id, 1))
	for range 2 {
		assert.Equal(t, corpus.Verdict{Texts: texts[:1]}, ask(t, l, acme, id, texts...), "its job is known, and nobody will ask for it")
	}
	assert.Equal(t, corpus.Verdict{}, ask(t, l, globex, id, texts...))
	r, err := corpus.Submit(t.Context(), l, acme, coming)
	require.NoError(t, err, "what was on its way is taken")
	assert.Equal(t, 3, r.Generation)
	assert.Equal(t, unwanted, advance(t, l, acme, corpus.Progress{
		DocumentRef: events.DocumentRef{DocID: tenantstest.Fresh(t, "none-")}, Stage: corpus.StageRetire, Left: &corpus.Left{Texts: texts},
	}), "there is no such document")
}
