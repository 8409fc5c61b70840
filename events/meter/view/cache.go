package view

import (
	"maps"
	"slices"

	"levada.dev/events/meter"
)

// Cache is what remembering searches is good for.
type Cache struct {
	Window
	Searches Total        `json:"searches"` // that may be remembered
	HitRate  Figure       `json:"hitRate"`  // the part of them that was
	Sources  []Source     `json:"sources"`  // by where the answer came from
	Parts    []SearchPart `json:"parts"`    // that searches are made of
}

// Source is where answers came from: "hit" is the memory, "miss" the indexes.
type Source struct {
	Cache    string   `json:"cache"`
	Searches int64    `json:"searches"`
	P50      *float64 `json:"p50Ms"` // until the whole answer was there
	P95      *float64 `json:"p95Ms"`
}

// SearchPart is a part of a search, such as asking the index of meanings.
type SearchPart struct {
	Part  string   `json:"part"`
	Count int64    `json:"count"`
	P50   *float64 `json:"p50Ms"`
	P95   *float64 `json:"p95Ms"`
}

// hit is what the counts call a search that was remembered.
const hit = "hit"

// CacheOf makes it of the window's slots.
func CacheOf(w Window, slots []meter.Slot) Cache {
	steps := w.steps(slots)
	out := Cache{
		Window: w, Searches: Total{Line: make([]int64, len(steps))}, HitRate: Figure{Line: make([]*float64, len(steps))},
		Sources: []Source{}, Parts: []SearchPart{},
	}
	sources, times, parts, hits := map[string]int64{}, map[string]*meter.Cell{}, map[string]*meter.Cell{}, int64(0)
	for i, set := range steps {
		if set == nil {
			continue
		}
		found := int64(0)
		for of, c := range set.All() {
			switch of.Metric {
			case meter.Searches:
				sources[of.Labels[0]] += c.Sum
				out.Searches.Line[i] += c.Sum
				if of.Labels[0] == hit {
					found += c.Sum
				}
			case meter.SearchTime:
				join(entry(times, of.Labels[0]), c)
			case meter.SearchDuration:
				join(entry(parts, of.Labels[0]), c)
			}
		}
		out.Searches.Total += out.Searches.Line[i]
		out.HitRate.Line[i] = part(found, out.Searches.Line[i])
		hits += found
	}
	out.HitRate.Value = part(hits, out.Searches.Total)
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		t := entry(times, name)
		out.Sources = append(out.Sources, Source{name, sources[name], millis(*t, 0.5), millis(*t, 0.95)})
	}
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		out.Parts = append(out.Parts, SearchPart{name, parts[name].Count, millis(*parts[name], 0.5), millis(*parts[name], 0.95)})
	}
	return out
}
