package isolate

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// memoryLimit is where the collector begins to work harder. The module's memory is capped at 96 MiB, and what has been
// grown is never given back: without a limit the heap may double over what was alive at the last peak, and the instance
// dies of garbage. A third is left for what lies between the blocks: after hours of work no piece of ten megabytes is free in one.
const memoryLimit = 60 << 20

// growth is how much the heap may grow between two collections, in percent of what is alive. What is alive is small, and a
// request of some ten kilobytes pays a few percent less than at Go's own 100; near the limit the collector works harder all the same.
const growth = 300

// leastGrowth is what may be allocated between two collections, whatever is alive. Go knows no such thing: where as much is alive as the limit
// lets, it collects at each allocation. It would stop at half of the time, but the clock stands still while code runs, so that it sees none pass.
const leastGrowth = 8 << 20

// A collector knows how much is alive after each collection, and moves the limit so that there is leastGrowth beyond it.
type collector struct {
	limit  int64
	sample []metrics.Sample
}

// beyond is what counts towards the limit and is neither alive nor stacks: the runtime's own tables, and what lies free between what is alive.
const beyond = 6 << 20

func newCollector() *collector {
	c := &collector{memoryLimit, []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}}
	debug.SetMemoryLimit(memoryLimit)
	debug.SetGCPercent(growth)
	return c
}

// watch calls adjust after each collection: the finalizer of what nobody has is run then.
func (c *collector) watch() {
	runtime.SetFinalizer(&struct{ _ *byte }{}, func(any) {
		c.adjust()
		c.watch()
	})
}

func (c *collector) adjust() {
	metrics.Read(c.sample)
	alive := int64(c.sample[0].Value.Uint64() + c.sample[1].Value.Uint64())
	limit := max(memoryLimit, alive+beyond+leastGrowth)
	if limit == c.limit {
		return
	}
	c.limit = limit
	debug.SetMemoryLimit(limit)
}
