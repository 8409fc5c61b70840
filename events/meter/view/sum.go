package view

import (
	"strings"

	"levada.dev/events/meter"
	"levada.dev/events/trace"
)

// Sum is what was counted, added up over the labels.
type Sum struct {
	Requests, Refused, Failed int64
	Latency                   meter.Cell // of those that are not over when something else is
	FirstToken                meter.Cell

	Events, EventsFailed, DeadLetters int64
	EventWait                         meter.Cell

	ModelCalls, Tokens, Chars, Nanos int64
}

// Add adds what a set has; nil has nothing.
func (s *Sum) Add(set *meter.Set) {
	if set == nil {
		return
	}
	for of, c := range set.All() {
		switch of.Metric {
		case meter.Requests:
			s.requests(of.Labels[2], c.Sum)
		case meter.RequestDuration:
			if !follows(of.Labels[1], of.Labels[0]) {
				join(&s.Latency, c)
			}
		case meter.FirstToken:
			join(&s.FirstToken, c)
		case meter.Events:
			s.Events += c.Sum
			if of.Labels[1] == string(trace.Failed) {
				s.EventsFailed += c.Sum
			}
		case meter.EventWait:
			join(&s.EventWait, c)
		case meter.DeadLetters:
			s.DeadLetters += c.Sum
		case meter.ModelCalls:
			s.ModelCalls += c.Sum
		case meter.ModelTokens:
			s.Tokens += c.Sum
		case meter.ModelCharacters:
			s.Chars += c.Sum
		case meter.ModelCost:
			s.Nanos += c.Sum
		}
	}
}

// requests counts requests of a status. Refused are those that were the caller's to make better, or left; failed those that were ours.
func (s *Sum) requests(status string, n int64) {
	s.Requests += n
	switch {
	case status == meter.Broken || strings.HasPrefix(status, "5"):
		s.Failed += n
	case strings.HasPrefix(status, "4"):
		s.Refused += n
	}
}

// Served is how many requests were not refused.
func (s *Sum) Served() int64 { return s.Requests - s.Refused }

// sums are those of each step, and of all together.
func sums(steps []*meter.Set) (each []Sum, all Sum) {
	each = make([]Sum, len(steps))
	for i, set := range steps {
		each[i].Add(set)
		all.Add(set)
	}
	return each, all
}

// join adds the observations of one series to those of another.
func join(into *meter.Cell, c meter.Cell) {
	into.Count, into.Sum = into.Count+c.Count, into.Sum+c.Sum
	for place, n := range c.Buckets {
		if into.Buckets == nil {
			into.Buckets = map[uint8]int64{}
		}
		into.Buckets[place] += n
	}
}

// entry is the entry of a map, which is made when there is none.
func entry[K comparable, T any](m map[K]*T, key K) *T {
	if m[key] == nil {
		m[key] = new(T)
	}
	return m[key]
}
