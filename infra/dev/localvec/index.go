package localvec

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// index is one index's state. Mutations are applied in the order they were
// accepted, each when it is due; whoever looks applies what is due first, so
// nothing runs in the background.
type index struct {
	config     Index
	properties []string // the keys of config.Properties, in the order of row.indexed

	mu        sync.RWMutex
	file      *journal
	spaces    map[string]*space
	places    map[string]place // by id, which is unique in the whole index
	pending   []mutation
	processed mutation // the last one applied, without its vectors
	live      int64    // bytes the file would have without its garbage
}

type place struct {
	space *space
	slot  int
}

type operation byte

const (
	insert operation = iota + 1
	upsert
	remove
)

// mutation is one accepted batch.
type mutation struct {
	operation operation
	id        uuid.UUID
	accepted  time.Time
	due       time.Time
	vectors   []vector // for remove, only their ids
}

type vector struct {
	id, namespace string
	metadata      []byte // compact JSON, or empty
	values        []float32
}

func openIndex(path string, config Index, now time.Time) (*index, error) {
	ix := &index{
		config:     config,
		properties: slices.Sorted(maps.Keys(config.Properties)),
		spaces:     map[string]*space{},
		places:     map[string]place{},
	}
	file, err := openJournal(path, config.Dimensions, func(m mutation) {
		if m.due.After(now) {
			for i := range m.vectors {
				m.vectors[i].values = slices.Clone(m.vectors[i].values)
			}
		}
		ix.pending = append(ix.pending, m)
		ix.settle(now)
	})
	if err != nil {
		return nil, err
	}
	ix.file = file
	if err := ix.compactIfWasteful(1 << 20); err != nil {
		return nil, err
	}
	return ix, nil
}

// accept makes a mutation durable and, when it is due, visible.
func (ix *index) accept(op operation, vectors []vector, now time.Time, delay time.Duration) (uuid.UUID, error) {
	id, err := uuid.NewRandom()
	if err != nil {
		return id, err
	}
	m := mutation{operation: op, id: id, accepted: now, due: now.Add(delay), vectors: vectors}
	ix.mu.Lock()
	defer ix.mu.Unlock()
	// Never before an earlier one, also when the delay was shortened between them.
	if n := len(ix.pending); n > 0 && ix.pending[n-1].due.After(m.due) {
		m.due = ix.pending[n-1].due
	}
	if err := ix.file.append(m); err != nil {
		return id, err
	}
	ix.pending = append(ix.pending, m)
	ix.settle(now)
	return id, ix.compactIfWasteful(64 << 20)
}

// settle applies what is due. The caller holds the lock.
func (ix *index) settle(now time.Time) {
	n := 0
	for n < len(ix.pending) && !ix.pending[n].due.After(now) {
		ix.apply(ix.pending[n])
		n++
	}
	ix.pending = slices.Delete(ix.pending, 0, n)
}

func (ix *index) apply(m mutation) {
	for _, v := range m.vectors {
		at, exists := ix.places[v.id]
		switch {
		case m.operation == remove && exists:
			ix.drop(v.id, at)
		case m.operation == upsert && exists && at.space.name == v.namespace:
			ix.live += v.size() - at.space.size(at.slot)
			at.space.set(at.slot, ix.row(v), v.values)
		case m.operation == upsert && exists:
			ix.drop(v.id, at)
			ix.put(v)
		case m.operation != remove && !exists:
			ix.put(v)
		}
	}
	m.vectors = nil
	ix.processed = m
}

func (ix *index) put(v vector) {
	s := ix.spaces[v.namespace]
	if s == nil {
		s = &space{name: v.namespace, dimensions: ix.config.Dimensions}
		ix.spaces[v.namespace] = s
	}
	ix.places[v.id] = place{s, s.add(ix.row(v), v.values)}
	ix.live += v.size()
}

func (ix *index) drop(id string, at place) {
	ix.live -= at.space.size(at.slot)
	if moved := at.space.remove(at.slot); moved != "" {
		ix.places[moved] = at
	}
	delete(ix.places, id)
	if len(at.space.rows) == 0 {
		delete(ix.spaces, at.space.name)
	}
}

func (ix *index) row(v vector) row {
	return row{id: v.id, metadata: v.metadata, indexed: ix.index(v.metadata)}
}

// index reads the indexed properties out of a vector's metadata.
func (ix *index) index(metadata []byte) []value {
	if len(metadata) == 0 || len(ix.properties) == 0 {
		return nil
	}
	var object map[string]any
	if json.Unmarshal(metadata, &object) != nil {
		return nil
	}
	values := make([]value, len(ix.properties))
	for i, property := range ix.properties {
		if v := valueOf(at(object, property)); v.kind == ix.config.Properties[property] {
			values[i] = v
		}
	}
	return values
}

// truncate cuts s to the indexed bytes at a character's boundary.
func truncate(s string) string {
	if len(s) <= maxIndexedBytes {
		return s
	}
	end := maxIndexedBytes
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

// Info is what describe answers.
type Info struct {
	VectorCount int `json:"vectorCount"`
	Dimensions  int `json:"dimensions"`
	// Processed is the last visible mutation, and when it was accepted. Both are
	// empty before the first.
	ProcessedDatetime string `json:"processedUpToDatetime,omitempty"`
	ProcessedMutation string `json:"processedUpToMutation,omitempty"`
}

func (ix *index) info() Info {
	info := Info{VectorCount: len(ix.places), Dimensions: ix.config.Dimensions}
	if ix.processed.id != uuid.Nil {
		info.ProcessedDatetime = ix.processed.accepted.UTC().Format("2006-01-02T15:04:05.000Z")
		info.ProcessedMutation = ix.processed.id.String()
	}
	return info
}

// look runs f on the settled state. Lookers share the lock where nothing is due.
func (ix *index) look(now time.Time, f func() error) error {
	ix.mu.RLock()
	if len(ix.pending) == 0 || ix.pending[0].due.After(now) {
		defer ix.mu.RUnlock()
		return f()
	}
	ix.mu.RUnlock()
	ix.mu.Lock()
	defer ix.mu.Unlock()
	ix.settle(now)
	return f()
}

// compactIfWasteful rewrites the file when garbage exceeds what lives by slack.
// Mutations that are still invisible would be lost, so it waits for those.
func (ix *index) compactIfWasteful(slack int64) error {
	if len(ix.pending) > 0 || ix.file.size-ix.live <= ix.live+slack {
		return nil
	}
	if err := ix.file.rewrite(ix.processed, ix.all); err != nil {
		return fmt.Errorf("compact: %w", err)
	}
	return nil
}

// all yields every vector.
func (ix *index) all(yield func(vector) bool) {
	for _, s := range ix.spaces {
		for slot, r := range s.rows {
			if !yield(vector{r.id, s.name, r.metadata, s.vector(slot)}) {
				return
			}
		}
	}
}

func (ix *index) close() error {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	return ix.file.close()
}
