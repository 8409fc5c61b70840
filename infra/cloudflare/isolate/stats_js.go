package isolate

import (
	"encoding/json"
	"runtime"
	"syscall/js"
)

// Counters are what the runtime counts; tests for leaks compare them before and after.
type Counters struct {
	Begun    int // events begun
	Hops     int // operations that had to change the I/O context first
	Ops      int // operations, hops included
	Late     int // settlements that came after their operation was given up
	Canceled int // events canceled: client gone, deadline, I/O context lost
	Panics   int // panics of handlers, recovered

	Tasks      int // events alive
	Pending    int // operations under way
	Goroutines int
	Idle       int            // of these, pooled ones that wait for an event
	Host       map[string]any // the tables of the JavaScript side
}

var stats Counters

// Stats returns the counters and the present size of every table.
func Stats() Counters {
	s := stats
	s.Tasks, s.Pending = len(tasks), len(ops)-len(freeOps)
	s.Goroutines, s.Idle = runtime.NumGoroutine(), len(idle)
	tables := js.Global().Get("JSON").Call("stringify", host.Call("tables")).String()
	_ = json.Unmarshal([]byte(tables), &s.Host) // made by the line above
	return s
}
