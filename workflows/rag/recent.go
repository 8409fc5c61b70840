package rag

import (
	"container/list"
	"sync"
	"time"

	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
)

// recent is what this process has asked the cache for of late: results, and the edition of each tenant's corpus that it has heard of last. It decides
// nothing: a name has the edition in it, and who asks for one knows the edition from the ledger. A tenant's results go as soon as another edition is
// heard of. Safe for concurrent use.
type recent struct {
	most int // bytes

	mu      sync.Mutex
	bytes   int
	order   *list.List // of *keptResult, the one asked for last in front
	tenants map[tenants.ID]*recentTenant
}

// recentTenant is what there is of one tenant. One of which nothing is left is forgotten with the editions of all others like it.
type recentTenant struct {
	edition corpus.Edition
	results map[string]*list.Element
}

type keptResult struct {
	tenant tenants.ID
	name   string
	until  time.Time
	size   int
	result Result
}

// maxRecentTenants is how many tenants' editions are remembered.
const maxRecentTenants = 1024

func newRecent(most int) *recent {
	return &recent{most: most, order: list.New(), tenants: map[tenants.ID]*recentTenant{}}
}

// edition is what was heard of last.
func (r *recent) edition(t tenants.ID) (e corpus.Edition, known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if of := r.tenants[t]; of != nil {
		return of.edition, true
	}
	return e, false
}

// heard notes the edition of a tenant. Which of two is the later one the process cannot always tell; the wrong one costs a read of the cache.
func (r *recent) heard(t tenants.ID, e corpus.Edition) {
	r.mu.Lock()
	defer r.mu.Unlock()
	of := r.tenants[t]
	switch {
	case of == nil:
		r.room()
		r.tenants[t] = &recentTenant{edition: e, results: map[string]*list.Element{}}
	case of.edition != e:
		for _, at := range of.results {
			r.remove(at)
		}
		of.edition = e
	}
}

// room forgets the tenants of whom there is no result when there are too many, and all of them when each has one.
func (r *recent) room() {
	if len(r.tenants) < maxRecentTenants {
		return
	}
	for t, of := range r.tenants {
		if len(of.results) == 0 {
			delete(r.tenants, t)
		}
	}
	if len(r.tenants) >= maxRecentTenants {
		r.order.Init()
		r.bytes = 0
		clear(r.tenants)
	}
}

// find is the result of a name, as long as it lives. Who gets it must not write to its sources.
func (r *recent) find(t tenants.ID, name string, now time.Time) (Result, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	of := r.tenants[t]
	if of == nil || of.results[name] == nil {
		return Result{}, false
	}
	at := of.results[name]
	k := at.Value.(*keptResult)
	if !now.Before(k.until) {
		r.remove(at)
		return Result{}, false
	}
	r.order.MoveToFront(at)
	return k.result, true
}

// keep keeps the result of a name that was made for the edition, if that is still the tenant's as far as is known.
func (r *recent) keep(t tenants.ID, e corpus.Edition, name string, until time.Time, size int, result Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	of := r.tenants[t]
	if of == nil || of.edition != e || size > r.most {
		return
	}
	if at := of.results[name]; at != nil {
		r.remove(at)
	}
	of.results[name] = r.order.PushFront(&keptResult{tenant: t, name: name, until: until, size: size, result: result})
	for r.bytes += size; r.bytes > r.most; {
		r.remove(r.order.Back())
	}
}

func (r *recent) remove(at *list.Element) {
	k := r.order.Remove(at).(*keptResult)
	r.bytes -= k.size
	delete(r.tenants[k.tenant].results, k.name)
}
