package memory_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/infra/memory"
	"levada.dev/producers/replay"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/job"
	"levada.dev/workflows/letters"
	"levada.dev/workflows/letters/letterstest"
	"levada.dev/workflows/llm"
)

func TestBox(t *testing.T) {
	letterstest.TestBox(t, func(*testing.T) letterstest.Box { return memory.NewLetters(time.Now) })
}

func TestOutboxOfLetters(t *testing.T) {
	letterstest.TestOutbox(t, func(t *testing.T) letterstest.Post {
		box, queues := memory.NewLetters(time.Now), &memory.Queues{}
		out := events.NewPublisher(queues, &memory.Claims{}, nil)
		return letterstest.Post{Box: box, Receive: func(ctx context.Context, stage events.Stage) ([]byte, error) {
			if _, err := box.Relay(ctx, tenantstest.Scope(t, "acme"), out); err != nil {
				return nil, err
			}
			batch := queues.Take(string(stage), 1)
			if len(batch) == 0 {
				return nil, errors.New("the queue is empty")
			}
			return batch[0].Body, nil
		}}
	})
}

func TestUnread(t *testing.T) {
	letterstest.TestUnread(t, func(*testing.T) letterstest.Pile {
		u := &memory.Unread{}
		return letterstest.Pile{Pile: u, Read: func(context.Context) ([]letters.Letter, error) { return u.All(), nil }}
	})
}

// TestTheCauseIsRemoved has documents of two tenants fail at a model that refuses them, and records at a trail that is full. Once
// both give way, the letters of one tenant are replayed, again and again, while calls of every store fail: each document is
// searchable in its second generation, whole, each record is in the trail, and the other tenant's are as they were.
func TestTheCauseIsRemoved(t *testing.T) {
	for seed := range uint64(10) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 11))
			p := newPlatform(t)
			acme, globex := scope(t, "acme"), scope(t, "globex")
			p.model.Before = func(llm.Call, []string) error { return fault.Invalidf("texts", "text_refused", "no") }
			p.trail.Before = func(string) error { return fault.Invalidf("", "trail_full", "no") }
			for i := range 4 {
				d := draft(fmt.Sprint("d", i), prose("rain", 1+rng.IntN(40)))
				p.submit(acme, d)
				p.submit(globex, d)
			}
			p.run(acme, globex)
			kept := len(p.kept(acme))
			require.Greater(t, kept, 8)
			require.NotEmpty(t, p.kept(globex))
			types := map[string]int{}
			for _, l := range p.kept(acme) {
				types[l.Type]++
			}
			require.Positive(t, types[events.TypeDocumentChunked])
			require.Positive(t, types[events.TypeEventRecorded])
			require.Empty(t, p.trail.Entries(acme))

			p.model.Before, p.trail.Before = nil, nil
			budget := 40
			hook := func(string) error {
				if budget > 0 && rng.IntN(4) == 0 {
					budget--
					return fault.Unavailablef(nil, "test_failure", "a store failed")
				}
				return nil
			}
			hooks := memory.Hooks{Before: hook, After: hook}
			p.letters.Hooks, p.ledger.Hooks = hooks, hooks
			p.router = patient(p)
			p.queues.MaxAttempts = 1000
			r := replay.New(p.letters, p.letters, p.ledger, nil)
			for calls := 0; ; calls++ {
				require.Less(t, calls, 200)
				out, err := r.Replay(t.Context(), acme, letters.Replay{Limit: 5, Cause: events.Cause{ID: fmt.Sprint("request", calls)}})
				if err == nil && out.Matched == 0 {
					break
				}
			}
			p.letters.Hooks, p.ledger.Hooks = memory.Hooks{}, memory.Hooks{}
			p.post(acme)
			p.run(acme, globex)

			var docs []corpus.Document
			for i := range 4 {
				d := p.document(acme, fmt.Sprint("d", i))
				assert.Equal(t, []any{corpus.Indexed, 2, 2}, []any{d.State, d.Generation, d.Searchable}, "begun once more, and once only")
				docs = append(docs, d)
				assert.Equal(t, 1, p.document(globex, fmt.Sprint("d", i)).Generation)
			}
			slices.SortFunc(docs, func(a, b corpus.Document) int { return strings.Compare(a.ID, b.ID) })
			p.exactly(acme, docs...)
			p.exactly(globex)
			recorded := map[string]int{}
			for _, e := range p.trail.Entries(acme) {
				recorded[e.Type]++
			}
			assert.Equal(t, 8, recorded[events.TypeDocumentSubmitted], "what could not be recorded then is, and what came since")
			assert.Positive(t, recorded[events.TypeLettersReplayed])
			assert.Len(t, p.kept(acme), kept, "no new letter")
			for _, l := range p.kept(acme) {
				assert.NotZero(t, l.Replayed)
			}
			for _, l := range p.kept(globex) {
				assert.Zero(t, l.Replayed)
			}
		})
	}
}

// TestAnErasureThatFailedIsReplayed has an erasure fail for good, which its letter begins anew; but not when there is a newer
// document of that name, which stays.
func TestAnErasureThatFailedIsReplayed(t *testing.T) {
	for _, back := range []bool{false, true} {
		p := newPlatform(t)
		acme, globex := scope(t, "acme"), scope(t, "globex")
		p.submit(acme, draft("doc", prose("rain", 20)))
		p.submit(globex, draft("doc", prose("rain", 20)))
		p.run(acme, globex)
		p.vectors.Before = func(string) error { return fault.Invalidf("", "index_refused", "no") }
		p.delete(acme, "doc")
		p.run(acme)
		p.vectors.Before = nil
		kept := p.kept(acme)
		require.Len(t, kept, 1)
		assert.Equal(t, []any{"erase", "doc", 1, "index_refused"}, []any{kept[0].Stage, kept[0].DocID, kept[0].Generation, kept[0].Code})
		require.NotEmpty(t, p.vectors.IDs(acme, model))
		if back {
			p.submit(acme, draft("doc", prose("snow", 3)))
			p.run(acme)
		}
		r := replay.New(p.letters, p.letters, p.ledger, nil)
		for range 2 {
			_, err := r.Replay(t.Context(), acme, letters.Replay{Cause: events.Cause{ID: "request"}})
			require.NoError(t, err)
			p.run(acme)
		}
		if back {
			assert.Equal(t, 2, p.document(acme, "doc").Searchable, "it was not meant")
			assert.Len(t, p.textsOf(acme, "doc"), 1, "of the one that was deleted nothing is left")
			p.keeps(acme)
		} else {
			p.exactly(acme)
			assert.Zero(t, p.texts.Len(acme))
		}
		p.exactly(globex, p.document(globex, "doc"))
	}
}

// TestADeletionThatDiedIsReplayed has the message of a deletion die in each way a message can. The job says so, the letter is replayed, and the
// deletion is completed.
func TestADeletionThatDiedIsReplayed(t *testing.T) {
	for name, die := range map[string]func(p *platform){
		"a store refuses": func(p *platform) {
			p.texts.Before = func(op string) error {
				if op == "list" {
					return fault.Invalidf("", "store_refused", "no")
				}
				return nil
			}
		},
		"its data cannot be read": func(p *platform) {
			batch := p.queues.Take("ingest", 10)
			for i := range batch {
				batch[i].Body = []byte(strings.Replace(string(batch[i].Body), `"docId":"doc"`, `"docId":5`, 1))
			}
			p.queues.Settle("ingest", batch, p.router.Handle(p.t.Context(), "ingest", batch))
		},
		"its isolate dies each time": func(p *platform) {
			for range 4 {
				p.queues.Settle("ingest", p.queues.Take("ingest", 10), nil)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlatform(t)
			acme, globex := scope(t, "acme"), scope(t, "globex")
			for _, s := range []tenants.Scope{acme, globex} {
				p.submit(s, draft("doc", prose("rain", 20)))
			}
			p.run(acme, globex)
			r := p.delete(acme, "doc")
			for {
				n, err := p.ledger.Relay(t.Context(), acme, p.out, 10)
				require.NoError(t, err)
				if n == 0 {
					break
				}
			}
			require.Positive(t, p.queues.Len("ingest"))
			die(p)
			p.run(acme)
			p.texts.Hooks = memory.Hooks{}
			require.Equal(t, job.Failed, p.job(acme, r.JobID).State)
			require.NotEmpty(t, p.vectors.IDs(acme, model), "the deletion never went through")
			var dead []letters.Letter
			for _, l := range p.kept(acme) {
				if l.Stage == string(corpus.StageErase) {
					dead = append(dead, l)
				}
			}
			require.Len(t, dead, 1)
			assert.Equal(t, []any{"doc", 1}, []any{dead[0].DocID, dead[0].Generation})

			again := replay.New(p.letters, p.letters, p.ledger, nil)
			out, err := again.Replay(t.Context(), acme, letters.Replay{Query: letters.Query{IDs: []string{dead[0].ID}}, Cause: events.Cause{ID: "request"}})
			require.NoError(t, err)
			assert.Equal(t, []int{1, 1, 0}, []int{out.Matched, out.Replayed, len(out.Skipped)})
			p.run(acme, globex)
			j := p.job(acme, p.document(acme, "doc").JobID)
			assert.NotEqual(t, r.JobID, j.ID)
			require.Equal(t, job.Succeeded, j.State, "%+v", j.Errors)
			assert.Equal(t, []int{1, 1, 0}, []int{j.Erasure.Generations, j.Erasure.Texts, j.Erasure.Remaining})
			p.exactly(acme)
			assert.Zero(t, p.texts.Len(acme))
			p.exactly(globex, p.document(globex, "doc"))
		})
	}
}

// TestADeletionThatIsLostIsToldAgain: nobody keeps a letter of a message that is nowhere.
func TestADeletionThatIsLostIsToldAgain(t *testing.T) {
	for _, lost := range []int{1, 5} { // the second time all that it is told
		p := newPlatform(t)
		acme, globex := scope(t, "acme"), scope(t, "globex")
		for _, s := range []tenants.Scope{acme, globex} {
			p.submit(s, draft("doc", prose("rain", 20)))
		}
		p.run(acme, globex)
		r := p.delete(acme, "doc")
		for range lost {
			_, err := p.ledger.Relay(t.Context(), acme, p.out, 10)
			require.NoError(t, err)
			p.queues.Take("ingest", 10)
			p.clock.advance(3 * corpus.DefaultDeadline)
			_, err = p.ledger.Watch(acme)
			require.NoError(t, err)
		}
		p.run(acme)
		j := p.job(acme, r.JobID)
		if lost > 1 {
			require.Equal(t, []any{job.Failed, "stuck"}, []any{j.State, j.Errors[0].Code}, "it is not for ever on its way")
			r = p.delete(acme, "doc")
			p.run(acme)
			j = p.job(acme, r.JobID)
		}
		require.Equal(t, job.Succeeded, j.State)
		p.exactly(acme)
		assert.Zero(t, p.texts.Len(acme))
		p.exactly(globex, p.document(globex, "doc"))
	}
}

// TestADeletedDocumentLeavesNoLetter: the messages that died have its text in them.
func TestADeletedDocumentLeavesNoLetter(t *testing.T) {
	p := newPlatform(t)
	acme, globex := scope(t, "acme"), scope(t, "globex")
	p.model.Before = func(llm.Call, []string) error { return fault.Invalidf("texts", "text_refused", "no") }
	for _, s := range []tenants.Scope{acme, globex} {
		p.submit(s, draft("doc", prose("secrets", 40)))
		p.submit(s, draft("other", prose("rain", 2)))
	}
	p.run(acme, globex)
	require.Greater(t, len(p.kept(acme)), 2)
	theirs := len(p.kept(globex))
	p.delete(acme, "doc")
	p.run(acme)
	for _, l := range p.kept(acme) {
		assert.Equal(t, "other", l.DocID)
		assert.NotContains(t, string(l.Body), "secrets")
	}
	assert.Len(t, p.kept(acme), 1)
	assert.Len(t, p.kept(globex), theirs)
}

// post relays the outbox of a tenant's letters.
func (p *platform) post(s tenants.Scope) {
	p.t.Helper()
	for {
		n, err := p.letters.Relay(p.t.Context(), s, p.out)
		require.NoError(p.t, err)
		if n == 0 {
			return
		}
	}
}
