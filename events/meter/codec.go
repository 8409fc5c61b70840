package meter

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// wire is a series as JSON has it. A metric that is not in the table any more, or not yet, is passed over by who reads it.
type wire struct {
	Metric  string     `json:"m"`
	Labels  []string   `json:"l,omitempty"`
	Count   int64      `json:"n,omitempty"`
	Sum     int64      `json:"s"`
	Buckets [][2]int64 `json:"b,omitempty"` // place and number
}

// MarshalJSON implements json.Marshaler. Equal sets are equal texts.
func (s *Set) MarshalJSON() ([]byte, error) {
	all := make([]wire, 0, len(s.cells))
	for of, c := range s.cells {
		w := wire{Metric: specs[of.Metric].Name, Labels: of.Labels[:len(specs[of.Metric].Labels)], Count: c.Count, Sum: c.Sum}
		for place, n := range c.Buckets {
			w.Buckets = append(w.Buckets, [2]int64{int64(place), n})
		}
		slices.SortFunc(w.Buckets, func(a, b [2]int64) int { return int(a[0] - b[0]) })
		all = append(all, w)
	}
	slices.SortFunc(all, func(a, b wire) int {
		if d := strings.Compare(a.Metric, b.Metric); d != 0 {
			return d
		}
		return slices.Compare(a.Labels, b.Labels)
	})
	return json.Marshal(all)
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *Set) UnmarshalJSON(b []byte) error {
	var all []wire
	if err := json.Unmarshal(b, &all); err != nil {
		return fmt.Errorf("meter: set: %w", err)
	}
	*s = Set{}
	for _, w := range all {
		m, known := Named(w.Metric)
		if !known || len(w.Labels) != len(specs[m].Labels) {
			continue
		}
		c := Cell{Count: w.Count, Sum: w.Sum}
		for _, b := range w.Buckets {
			if b[0] < 0 || b[0] > int64(len(bounds)) {
				return fmt.Errorf("meter: set: %s has no bucket %d", w.Metric, b[0])
			}
			if c.Buckets == nil {
				c.Buckets = map[uint8]int64{}
			}
			c.Buckets[uint8(b[0])] += b[1]
		}
		s.Put(Of(m, w.Labels...), c)
	}
	return nil
}
