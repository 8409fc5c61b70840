package memory_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/consumers"
	reacts "levada.dev/consumers/imports"
	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/infra/memory"
	"levada.dev/producers/batch"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/flow"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/job"
)

// importing is a platform that takes imports in. It runs in a bubble of time, where runs sleep for nothing.
type importing struct {
	*platform
	door  *batch.Door
	parts *memory.Parts
	files *memory.Files
	runs  *memory.Runs
	both  []tenants.Scope
}

func newImporting(t *testing.T) *importing {
	p := &importing{platform: newPlatform(t), parts: &memory.Parts{}, files: &memory.Files{}}
	acme, globex := tenantstest.Two(t)
	p.both = []tenants.Scope{acme, globex}
	configure := func(c *tenants.Config) { c.Models.Embedding = model }
	directory, _ := tenantstest.Directory(t, tenantstest.Config(t, "acme", configure), tenantstest.Config(t, "globex", configure))
	p.door = batch.New(p.parts, p.ledger, nil)
	feeder := imports.New(imports.Ports{
		Ledger: p.ledger, Jobs: p.ledger, Parts: p.parts, Texts: p.texts, Files: p.files, Fetcher: p.web, Preparer: p.intake, Directory: directory,
	})
	p.runs = memory.NewRuns(map[flow.Kind]flow.Flow{imports.Kind: feeder.Flow})
	t.Cleanup(p.runs.Stop)
	p.router = consumers.New(append(p.routes(), reacts.New(p.runs).Routes()...), p.claims, consumers.NewUndertaker(p.ledger, p.stores(), p.letters, p.unread),
		&consumers.Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: p.clock.Now})
	return p
}

// finish goes on until the imports have ended and nothing is left to do.
func (p *importing) finish(ids ...string) {
	p.t.Helper()
	for range 1000 {
		synctest.Wait()
		p.run(p.both...)
		synctest.Wait()
		over := true
		for i, id := range ids {
			ended, err := p.runs.Ended(p.both[i%2], imports.Kind, id)
			require.NoError(p.t, err)
			over = over && ended
		}
		if over {
			return
		}
		time.Sleep(time.Minute) // of the bubble: whoever sleeps may wake
	}
	p.t.Fatal("the imports do not end")
}

func (p *importing) take(s tenants.Scope, body string) imports.Accepted {
	p.t.Helper()
	for {
		a, err := p.door.Take(p.t.Context(), s, imports.Batch{Body: strings.NewReader(body), MaxLine: 1 << 20, Decode: decodeLine, Cause: events.Cause{
			ID: "request", IdempotencyKey: fmt.Sprint(len(body)),
		}})
		if err == nil || !fault.Retryable(err) {
			require.NoError(p.t, err)
			return a
		}
	}
}

func decodeLine(line []byte) (corpus.Draft, error) {
	var in struct{ ID, Text string }
	if err := json.Unmarshal(line, &in); err != nil {
		return corpus.Draft{}, fault.New(fault.Invalid, "invalid_json", "", nil)
	}
	return draft(in.ID, in.Text), nil
}

// lines are n documents, of which every hundredth is none.
func lines(tenant tenants.ID, n int) string {
	var b strings.Builder
	for i := range n {
		if i%100 == 99 {
			b.WriteString("[\n")
			continue
		}
		fmt.Fprintf(&b, `{"id":"doc-%d","text":"Text %d of %s."}`+"\n", i, i, tenant)
	}
	return b.String()
}

// whole requires that an import of lines has ended, with every document searchable once.
func (p *importing) whole(s tenants.Scope, id string, n int) {
	p.t.Helper()
	bad := n / 100
	j := p.job(s, id)
	require.Equal(p.t, job.Succeeded, j.State, "%+v", j)
	assert.Equal(p.t, []int{n, n - bad, bad, bad}, []int{j.Counts.Total, j.Counts.Done, j.Counts.Failed, j.Counts.Refused})
	assert.Len(p.t, j.Errors, bad)
	var docs []corpus.Document
	for i := range n {
		if i%100 == 99 {
			continue
		}
		d := p.document(s, fmt.Sprintf("doc-%d", i))
		require.Equal(p.t, []any{corpus.Indexed, 1, 1}, []any{d.State, d.Generation, d.Searchable}, d.ID)
		docs = append(docs, d)
	}
	p.exactly(s, docs...)
	assert.Zero(p.t, p.parts.Len(s), "parts are left")
	assert.Equal(p.t, n-bad, p.texts.Len(s), "a text for each document, and none besides")
}

func TestABatchBecomesSearchable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newImporting(t)
		var ids []string
		for i, s := range p.both {
			ids = append(ids, p.take(s, lines(s.Tenant(), 620+500*i)).Job.ID)
		}
		p.finish(ids...)
		p.whole(p.both[0], ids[0], 620)
		p.whole(p.both[1], ids[1], 1120)
		again := p.take(p.both[0], lines("acme", 620))
		assert.Equal(t, []any{ids[0], true}, []any{again.Job.ID, again.Replayed})

		// The same documents as another batch: there is nothing to do, and nothing is left of it.
		same := p.take(p.both[0], "\n"+lines("acme", 620))
		p.finish(same.Job.ID)
		j := p.job(p.both[0], same.Job.ID)
		assert.Equal(t, []any{job.Succeeded, 614, 614}, []any{j.State, j.Counts.Done, j.Counts.Unchanged})
		p.whole(p.both[0], ids[0], 620)
	})
}

// Messages come twice and in any order, and whatever may fail fails, before its effect and after.
func TestABatchThroughEverything(t *testing.T) {
	for seed := range uint64(3) {
		synctest.Test(t, func(t *testing.T) {
			p := newImporting(t)
			dice := rand.New(rand.NewPCG(seed, 7))
			p.queues.Rand, p.queues.Duplicate, p.queues.MaxAttempts = rand.New(rand.NewPCG(seed, 8)), 0.2, 1<<20
			p.router = patient(p.platform, reacts.New(p.runs).Routes()...) // or the dice end a document in one run of many
			lost := errors.New("connection lost")
			var one sync.Mutex // at a time has the dice
			fail := func(string) error {
				one.Lock()
				defer one.Unlock()
				if dice.IntN(20) == 0 {
					return lost
				}
				return nil
			}
			for _, h := range []*memory.Hooks{&p.ledger.Hooks, &p.parts.Hooks, &p.runs.Hooks} {
				h.Before, h.After = fail, fail
			}
			var ids []string
			for _, s := range p.both {
				ids = append(ids, p.take(s, lines(s.Tenant(), 620)).Job.ID)
			}
			p.finish(ids...)
			for _, h := range []*memory.Hooks{&p.ledger.Hooks, &p.parts.Hooks, &p.runs.Hooks} {
				h.Before, h.After = nil, nil
			}
			p.run(p.both...)
			for i, s := range p.both {
				p.whole(s, ids[i], 620)
			}
		})
	}
}

func TestAnImportIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newImporting(t)
		a := p.take(p.both[0], lines("acme", 1500))
		_, err := p.ledger.Cancel(t.Context(), p.both[0], a.Job.ID)
		require.NoError(t, err)
		p.finish(a.Job.ID)
		j := p.job(p.both[0], a.Job.ID)
		assert.Equal(t, job.Cancelled, j.State)
		assert.Zero(t, p.parts.Len(p.both[0]))
		assert.Empty(t, p.vectors.IDs(p.both[0], model))
	})
}
