package chat

import (
	"context"
	"encoding/json"
	"sync"

	"levada.dev/events/fault"
)

// journal is what has happened in a turn and the session has not been told yet. One goroutine writes it, another takes
// from it; it holds at most Ahead events and little more than MaxNews bytes.
type journal struct {
	mu      sync.Mutex
	untold  []Event
	bytes   int      // of untold
	last    int      // id of the newest event
	told    int      // id of the newest event that the session has
	outcome *Outcome // when the turn is over
	urgent  bool     // the session is to be told now
	full    bool     // the session takes nothing but the end any more
	news    chan struct{}
	room    chan struct{}
}

func newJournal() *journal {
	return &journal{news: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

// final is how many events may be written down when there is no room any more: what a check has found, what was redacted, the usage and the end.
const final = 4

// add writes an event down. It waits while the session is too far behind.
func (j *journal) add(ctx context.Context, typ EventType, data json.RawMessage) (Event, error) {
	for {
		if err := ctx.Err(); err != nil {
			return Event{}, err
		}
		j.mu.Lock()
		if j.last-j.told < Ahead-final && j.bytes < MaxNews {
			break
		}
		j.mu.Unlock()
		select {
		case <-j.room:
		case <-ctx.Done():
		}
	}
	defer j.mu.Unlock()
	return j.write(typ, data), nil
}

// settle has the session told what there is, and waits until it has it all.
func (j *journal) settle(ctx context.Context) error {
	j.hurry()
	for {
		j.mu.Lock()
		all := j.told == j.last
		j.mu.Unlock()
		if all {
			return ctx.Err()
		}
		select {
		case <-j.room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// finish writes down that the turn is over, by a final event. Only the first call counts.
func (j *journal) finish(o Outcome, e Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.outcome == nil {
		j.write(e.Type, e.Data)
		j.outcome = &o
		j.press()
	}
}

// addLast writes an event down that comes right before the final one, and waits for nothing.
func (j *journal) addLast(typ EventType, data json.RawMessage) Event {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.write(typ, data)
}

func (j *journal) write(typ EventType, data json.RawMessage) Event {
	j.last++
	e := Event{ID: j.last, Type: typ, Data: data}
	if j.full && !typ.Final() {
		return e
	}
	j.untold = append(j.untold, e)
	j.bytes += weight(e)
	switch {
	case len(j.untold) >= Ahead/2, j.bytes >= MaxNews/2:
		j.press()
	case len(j.untold) == 1:
		signal(j.news)
	}
	return e
}

// hurry has the session told what there is.
func (j *journal) hurry() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.press()
}

func (j *journal) press() {
	j.urgent = true
	signal(j.news)
}

// refuse is for a session that has no room for what happened: nothing of it is told any more, and the turn, should it have
// come to its end, ends with the error.
func (j *journal) refuse(err *fault.Error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.full, j.untold, j.bytes = true, nil, 0
	if j.outcome != nil {
		j.outcome.Code = err.Code
		j.untold = []Event{failed(j.last, err)}
		j.press()
	}
	signal(j.room)
}

// waiting reports whether there is something to tell, and whether it cannot wait.
func (j *journal) waiting() (some, now bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	some = len(j.untold) > 0 || j.outcome != nil
	return some, some && j.urgent
}

// batch is the oldest events, as many as one Tell may bring, and the outcome when they are the last.
func (j *journal) batch() ([]Event, *Outcome) {
	j.mu.Lock()
	defer j.mu.Unlock()
	n, size := 0, 0
	for n < len(j.untold) {
		size += weight(j.untold[n])
		if n > 0 && size > MaxNews {
			break
		}
		n++
	}
	if n < len(j.untold) {
		return j.untold[:n:n], nil
	}
	j.urgent = false
	return j.untold[:n:n], j.outcome
}

// taken forgets the events of a batch that the session has taken.
func (j *journal) taken(events []Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range events {
		j.bytes -= weight(e)
		j.told = e.ID
	}
	j.untold = j.untold[len(events):]
	signal(j.room)
}

// weight is about how many bytes an event takes.
func weight(e Event) int { return len(e.Data) + 64 }

// signal wakes the one goroutine that waits for c, now or when it comes to wait.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
