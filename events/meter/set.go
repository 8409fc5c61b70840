package meter

import (
	"slices"
	"unicode/utf8"

	"levada.dev/events/trace"
)

// Series is one line of a metric: the values of its labels, in the order of the table.
type Series struct {
	Metric Metric
	Labels [3]string
}

// Of makes a series.
func Of(m Metric, labels ...string) Series {
	s := Series{Metric: m}
	copy(s.Labels[:], labels)
	return s
}

// Cell is what was counted in a series. Of a counter there is Sum alone.
type Cell struct {
	Count   int64           // of the observations
	Sum     int64           // in the metric's unit
	Buckets map[uint8]int64 // how many observations fell into each bucket (Bounds); those without any are not there
}

const (
	// MaxSeries is how many series of one metric are kept of a tenant, for each stretch of time. Labels come from tables of routes, handlers, models and tools, so
	// that this is room and no limit. What comes on top is counted under the label Other beside how it ended, so that no sum is wrong, nor what part of it failed.
	MaxSeries = 200
	// Other stands for every value of a label that there is no room for.
	Other = "_other"
	// Stranger is the route of all requests that named the tenant, and had no key of it: they are one series for each class of status.
	Stranger = "_stranger"
	// MaxLabel is how many bytes a label's value has at most; what is longer is cut.
	MaxLabel = 100
)

// Set is what was counted. The zero Set is empty and ready. It belongs to one goroutine.
type Set struct {
	cells map[Series]*Cell
	sizes [count]int // series of each metric
}

// Count adds to a counter.
func (s *Set) Count(of Series, n int64) { s.cell(of).Sum += n }

// Observe adds one observation to a histogram, in the metric's unit; what is below 0 counts as 0.
func (s *Set) Observe(of Series, v int64) {
	v = max(v, 0)
	c := s.cell(of)
	c.Count++
	c.Sum += v
	if c.Buckets == nil {
		c.Buckets = map[uint8]int64{}
	}
	c.Buckets[bucketOf(v)]++
}

// Add adds all that another set has.
func (s *Set) Add(o *Set) {
	for of, from := range o.cells {
		s.Put(of, *from)
	}
}

// Put adds what was counted in a series.
func (s *Set) Put(of Series, from Cell) {
	c := s.cell(of)
	c.Count += from.Count
	c.Sum += from.Sum
	for b, n := range from.Buckets {
		if c.Buckets == nil {
			c.Buckets = map[uint8]int64{}
		}
		c.Buckets[b] += n
	}
}

// Len is how many series there are.
func (s *Set) Len() int { return len(s.cells) }

// All tells every series, in no order.
func (s *Set) All() func(yield func(Series, Cell) bool) {
	return func(yield func(Series, Cell) bool) {
		for of, c := range s.cells {
			if !yield(of, *c) {
				return
			}
		}
	}
}

// cell is that of the series, or of what stands for it when there are too many.
func (s *Set) cell(of Series) *Cell {
	if c, ok := s.cells[of]; ok {
		return c
	}
	if of.cut() {
		return s.cell(of)
	}
	if s.cells == nil {
		s.cells = map[Series]*Cell{}
	}
	if other := otherOf(of); of != other { // which has a place of its own
		if s.sizes[of.Metric] >= MaxSeries {
			return s.cell(other)
		}
		s.sizes[of.Metric]++
	}
	c := &Cell{}
	s.cells[of] = c
	return c
}

// otherOf stands for a series that there is no room for: of a metric there are as many as there are ways to end.
func otherOf(of Series) Series {
	for i, name := range specs[of.Metric].Labels {
		switch {
		case name == "status":
			of.Labels[i] = Class(of.Labels[i])
		case name == "outcome" && slices.Contains(trace.Outcomes, trace.Outcome(of.Labels[i])):
		default:
			of.Labels[i] = Other
		}
	}
	return of
}

// Class is what kind of a status one is, "5xx" of "503"; Broken is one of its own.
func Class(status string) string {
	switch {
	case status == Broken:
		return Broken
	case len(status) == 3 && status[0] >= '1' && status[0] <= '5':
		return status[:1] + "xx"
	}
	return Other
}

// cut cuts labels that are too long, and says whether there were any.
func (of *Series) cut() (cut bool) {
	for i, label := range of.Labels {
		if len(label) > MaxLabel {
			end := MaxLabel
			for !utf8.RuneStart(label[end]) {
				end--
			}
			of.Labels[i], cut = label[:end], true
		}
	}
	return cut
}
