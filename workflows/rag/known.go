package rag

import (
	"sync"
	"time"

	"levada.dev/events"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
)

// shown is what a search needs of a document.
type shown struct {
	events.About
	generation int // that may be shown
	changed    time.Time
}

func newShown(d *corpus.Document) *shown {
	return &shown{About: d.About, generation: d.Searchable, changed: d.UpdatedAt}
}

// known is what the ledger has said of documents that searches have found: which generation is shown, and what stands above it. It holds as long as
// the edition in which it was asked (corpus.Edition), which a search asks the ledger for whatever is known here. An edition never comes back, so what
// was said after it had been heard is of it wherever the ledger names it again. Safe for concurrent use.
type known struct {
	most int // bytes, about

	mu       sync.Mutex
	young    knownTenants
	old      knownTenants // what was not asked for since the young were as many
	bytes    int          // of the young
	editions map[tenants.ID]corpus.Edition
}

// knownTenants are documents by tenant and id; nil is one that is not shown.
type knownTenants map[tenants.ID]map[string]*shown

const (
	// knownBytes is about how much is kept, half of it young.
	knownBytes = 4 << 20
	// knownOverhead is about what a document takes besides its texts.
	knownOverhead = 250
)

// find puts what is known into documents, whose keys are those that are asked for, and returns the ids of the others.
func (k *known) find(t tenants.ID, e corpus.Edition, documents map[string]*shown, ids []string) (rest []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.editions[t] != e {
		return ids
	}
	young, old := k.young[t], k.old[t]
	for _, id := range ids {
		d, there := young[id]
		if !there {
			if d, there = old[id]; there {
				delete(old, id)
				k.put(t, id, d)
				young = k.young[t]
			}
		}
		if !there {
			rest = append(rest, id)
			continue
		}
		documents[id] = d
	}
	return rest
}

// keep notes what the ledger has said of documents after the edition was heard of. What was said of another is forgotten: of two that were heard
// at once either may stay, as nothing is told of one that the ledger does not name.
func (k *known) keep(t tenants.ID, e corpus.Edition, documents map[string]*shown, ids []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if before, there := k.editions[t]; !there || before != e {
		if k.editions == nil || !there && len(k.editions) >= maxRecentTenants {
			k.editions, k.young, k.old, k.bytes = map[tenants.ID]corpus.Edition{}, knownTenants{}, knownTenants{}, 0
		}
		k.editions[t] = e
		delete(k.young, t)
		delete(k.old, t)
	}
	for _, id := range ids {
		k.put(t, id, documents[id])
	}
}

// put keeps a document as young. When there are too many of them, they are the old ones, and those are forgotten.
func (k *known) put(t tenants.ID, id string, d *shown) {
	if k.bytes += knownSize(id, d); k.bytes > k.most/2 {
		k.young, k.old, k.bytes = knownTenants{}, k.young, knownSize(id, d)
	}
	if k.young[t] == nil {
		k.young[t] = map[string]*shown{}
	}
	k.young[t][id] = d
}

// knownSize is about how many bytes a document takes.
func knownSize(id string, d *shown) int {
	n := knownOverhead + len(id)
	if d == nil {
		return n
	}
	n += len(d.Title) + len(d.Source) + len(d.URL)
	for name, v := range d.Metadata {
		text, _ := v.(string)
		n += 100 + len(name) + len(text)
	}
	return n
}
