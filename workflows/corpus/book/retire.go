package book

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"levada.dev/events"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/corpus"
)

// strays picks out those of the texts that the store has of a document which no generation has nor ever will: they belong to a
// submission that the ledger has heard of, and whose generation nobody will ask for again. The others may be on their way here.
func (c *change) strays(o *open, texts []string) (corpus.Verdict, error) {
	v := corpus.Verdict{Retired: o.document.retired()}
	for _, key := range texts {
		if !strings.HasPrefix(key, corpus.TextPrefix(o.ID)) || o.uses(key) {
			continue
		}
		known := slices.ContainsFunc(v.Retired, func(r corpus.Retired) bool {
			return len(r.Texts) > 0 && strings.HasPrefix(key, r.Texts[0])
		})
		if jobID := corpus.TextJob(key); !known && jobID != "" {
			var row jobRow
			found, err := rows.Read(c.rows, jobPrefix+jobID, &row)
			if err != nil {
				return corpus.Verdict{}, err
			}
			known = found && row.DocID == o.ID
		}
		if known {
			v.Texts = append(v.Texts, key)
		}
	}
	return v, nil
}

// leavings is what a message may have left that died late at a stage that stores texts, when its generation was forgotten.
func (d *document) leavings(p corpus.Progress) []corpus.Retired {
	stores := p.Stage == corpus.StageFetch || p.Stage == corpus.StageChunk
	if g := d.generation(p.Generation); !stores || p.Code == "" || !p.Retry.IsZero() || g != nil && g.whole() {
		return nil
	}
	return []corpus.Retired{{Generation: p.Generation, Stray: true}}
}

// watchRetired sees to it that what was written for retired generations is removed, also when nobody who is told of them
// comes to it: their verdicts were lost, or there was nobody to answer.
func (c *change) watchRetired(o *open) error {
	begun := slices.ContainsFunc(o.document.retired(), func(r corpus.Retired) bool {
		return !slices.ContainsFunc(o.retired, func(was corpus.Retired) bool {
			return was.Generation == r.Generation && was.Stray == r.Stray && len(was.Texts) == len(r.Texts)
		})
	})
	if o.Deleted != nil || !begun {
		return nil
	}
	t, err := c.turns()
	if err != nil {
		return err
	}
	now := c.now.UnixMilli()
	return c.watchUntil(watched{JobID: o.generation(o.Newest).JobID, DocID: o.ID, From: now, Due: now + t.deadline()})
}

// lookRetired looks after a document of which something was retired. Where it is not removed yet, that is told.
func (c *change) lookRetired(w watched, now int64) error {
	o, err := c.open(w.DocID)
	if err != nil || o == nil || o.Deleted != nil || len(o.document.retired()) == 0 {
		return err
	}
	if w.Due > now {
		return c.watchUntil(w)
	}
	if w.Told == maxResent { // whoever comes by next is told
		return nil
	}
	w.Told++
	g := o.generation(o.Newest)
	cause := events.Cause{ID: fmt.Sprintf("%s/retired/%d", g.JobID, w.Told), TraceParent: g.Trace}
	w.Due = now + c.turn.deadline()
	return errors.Join(c.watchUntil(w), c.tell(g.JobID, cause, events.DocumentRetired{DocumentRef: o.ref(g)}))
}
