package broker_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const never = 60_000 // ms: a wait that a full batch must not sit out

// TestDelivery holds the rules by which a consumer gets its batches.
func TestDelivery(t *testing.T) {
	p := newPlatform(t, map[string]settings{
		"full":      {"maxBatchSize": 10, "maxWaitMs": never},
		"waits":     {"maxBatchSize": 10, "maxWaitMs": 200},
		"lone":      {"maxWaitMs": 0},
		"busy":      {"maxBatchSize": 1, "maxConcurrency": 3},
		"serial":    {"maxBatchSize": 1, "maxConcurrency": 1},
		"stuck":     {"maxBatchSize": 1, "maxConcurrency": 1},
		"free":      {"maxBatchSize": 1, "maxConcurrency": 1},
		"large":     {"maxBatchSize": 25, "maxWaitMs": 0},
		"delays":    {"maxWaitMs": 0},
		"hangs":     {"maxWaitMs": 0, "visibilityTimeoutMs": 100},
		"none":      {"consumer": "PRODUCER", "maxWaitMs": 0, "maxRetries": 0, "deadLetterQueue": "letters"},
		"letters":   {"consumer": nil},
		"duplicate": {"maxWaitMs": 0},
		"shuffle":   {"maxBatchSize": 1, "maxConcurrency": 1},
		"pause":     {"maxWaitMs": 0},
	})
	for name, test := range map[string]func(*testing.T, *platform){
		"a full batch does not wait":          testFull,
		"a batch waits to fill up":            testWaits,
		"a message is delivered at once":      testLone,
		"batches run at a time":               testConcurrency,
		"one at a time":                       testSerial,
		"a stuck queue holds nobody else up":  testStuck,
		"a backlog larger than the window":    testLarge,
		"a delay is kept":                     testDelay,
		"a handler that hangs":                testHangs,
		"a worker without handler":            testNoHandler,
		"duplicates on request":               testDuplicate,
		"any order on request":                testShuffle,
		"nothing while paused, purge forgets": testPause,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, p.in(t))
		})
	}
}

func sizes(batches []batch) (n []int) {
	for _, b := range batches {
		n = append(n, len(b.Messages))
	}
	slices.Sort(n)
	return n
}

func numbers(from, to int) (list []any) {
	for n := from; n < to; n++ {
		list = append(list, n)
	}
	return list
}

func testFull(t *testing.T, p *platform) {
	p.send("full", numbers(0, 25)...)
	p.delivered("full", 20)
	p.send("full", numbers(25, 30)...)
	p.delivered("full", 30)
	batches := p.got("full")
	assert.Equal(t, []int{10, 10, 10}, sizes(batches))
	p.emptied("full")
}

func testWaits(t *testing.T, p *platform) {
	p.send("waits", 1, 2, 3)
	p.delivered("waits", 3)
	batches := p.got("waits")
	require.Equal(t, []int{3}, sizes(batches))
	first := batches[0].Messages[0]
	assert.Equal(t, 1, first.Attempts)
	assert.Equal(t, metrics{Count: 3, Bytes: 3, Oldest: &first.Timestamp}, batches[0].Metrics)
}

func testLone(t *testing.T, p *platform) {
	for n := range 3 {
		p.send("lone", n)
		p.delivered("lone", n+1)
	}
}

// gauge counts the handlers that run at a time.
type gauge struct {
	mu        sync.Mutex
	now, most int
}

func (g *gauge) enter() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now++
	g.most = max(g.most, g.now)
}

func (g *gauge) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now--
}

// The first three handlers go on only when all three are there.
func testConcurrency(t *testing.T, p *platform) {
	var g gauge
	var together sync.WaitGroup
	together.Add(3)
	p.handle("busy", func(_ context.Context, b batch) answer {
		g.enter()
		defer g.leave()
		if b.Messages[0].Body.(float64) < 3 {
			together.Done()
			together.Wait()
		}
		return answer{}
	})
	p.send("busy", numbers(0, 30)...)
	p.delivered("busy", 30)
	p.emptied("busy")
	assert.Equal(t, 3, g.most)
}

func testSerial(t *testing.T, p *platform) {
	var g gauge
	p.handle("serial", func(context.Context, batch) answer {
		g.enter()
		defer g.leave()
		return answer{}
	})
	p.send("serial", numbers(0, 10)...)
	p.delivered("serial", 10)
	p.emptied("serial")
	assert.Equal(t, 1, g.most)
}

func testStuck(t *testing.T, p *platform) {
	p.handle("stuck", func(held context.Context, _ batch) answer {
		<-held.Done()
		return answer{}
	})
	p.send("stuck", 1, 2)
	p.delivered("stuck", 1)
	p.send("free", 3)
	p.delivered("free", 1)
	assert.Equal(t, 2, p.metrics("stuck").Count, "in flight is not gone")
}

// 120 messages of 100 KB are more than the broker keeps in memory.
func testLarge(t *testing.T, p *platform) {
	p.call("large", "control", settings{"pause": true})
	filler := strings.Repeat("x", 100_000)
	for n := 0; n < 120; n += 2 {
		p.send("large", fmt.Sprint(n, filler), fmt.Sprint(n+1, filler))
	}
	assert.Equal(t, 120, p.metrics("large").Count)
	p.call("large", "control", settings{"pause": false})
	distinct := map[any]bool{}
	for _, m := range p.delivered("large", 120) {
		distinct[m.Body] = true
	}
	assert.Len(t, distinct, 120)
	p.emptied("large")
}

func testDelay(t *testing.T, p *platform) {
	p.call("delays", "send", "later", settings{"delaySeconds": 1})
	due := p.peek("delays")[0].Due
	p.send("delays", "now")
	got := p.delivered("delays", 2)
	assert.Equal(t, "now", got[0].Body)
	last := p.wait("delays", func(b []batch) bool { return len(b) == 2 })[1]
	assert.False(t, last.At.Before(due), "due at %s, there at %s", due, last.At)
}

func testHangs(t *testing.T, p *platform) {
	p.handle("hangs", func(held context.Context, b batch) answer {
		if b.Messages[0].Attempts == 1 {
			<-held.Done()
		}
		return answer{}
	})
	p.send("hangs", 1)
	got := p.delivered("hangs", 2)
	// The given-up delivery may be recorded after the one that took its place.
	assert.ElementsMatch(t, []int{1, 2}, []int{got[0].Attempts, got[1].Attempts})
	p.emptied("hangs")
}

func testNoHandler(t *testing.T, p *platform) {
	p.send("none", "lost?")
	p.emptied("none")
	assert.Equal(t, "lost?", p.peek("letters")[0].Body)
}

func testDuplicate(t *testing.T, p *platform) {
	p.call("duplicate", "control", settings{"duplicate": 2})
	p.send("duplicate", 1, 2, 3, 4)
	times := map[string]int{}
	for _, m := range p.delivered("duplicate", 6) {
		times[m.ID]++
	}
	assert.Len(t, times, 4)
	p.emptied("duplicate")
	p.call("duplicate", "control", settings{"duplicate": 0})
	p.send("duplicate", 5)
	p.delivered("duplicate", 7)
	p.emptied("duplicate")
	assert.Len(t, messages(p.got("duplicate")), 7)
}

func testShuffle(t *testing.T, p *platform) {
	p.call("shuffle", "control", settings{"shuffle": true, "pause": true})
	p.send("shuffle", numbers(0, 100)...)
	p.call("shuffle", "control", settings{"pause": false})
	var order []any
	for _, m := range p.delivered("shuffle", 100) {
		order = append(order, int(m.Body.(float64)))
	}
	assert.ElementsMatch(t, numbers(0, 100), order)
	assert.NotEqual(t, numbers(0, 100), order)
}

func testPause(t *testing.T, p *platform) {
	p.call("pause", "control", settings{"pause": true})
	p.send("pause", 1, 2)
	assert.Len(t, p.peek("pause"), 2)
	assert.JSONEq(t, "2", string(p.call("pause", "purge")))
	p.send("pause", 3)
	p.call("pause", "control", settings{"pause": false})
	assert.EqualValues(t, 3, p.delivered("pause", 1)[0].Body)
}

// TestSettling holds the rules of what becomes of a message after its handler.
func TestSettling(t *testing.T) {
	p := newPlatform(t, map[string]settings{
		"verdicts": {"maxWaitMs": 0, "retryDelay": 60},
		"throws":   {"maxWaitMs": 0, "retryDelay": 60},
		"ackall":   {"maxWaitMs": 0, "retryDelay": 60},
		"retryall": {"maxWaitMs": 0, "retryDelay": 60},
		"again":    {"maxWaitMs": 0, "maxRetries": 1},
		"hastened": {"maxWaitMs": 0, "retryDelay": 600, "retryDivisor": 6_000},
		"poison":   {"maxWaitMs": 0, "maxRetries": 2, "deadLetterQueue": "dead"},
		"dead":     {"maxWaitMs": 0, "deadLetterQueue": "kept", "maxRetries": 0},
		"kept":     {"consumer": nil},
		"dropped":  {"maxWaitMs": 0, "maxRetries": 0},
	})
	for name, test := range map[string]func(*testing.T, *platform){
		"verdicts on messages":           testVerdicts,
		"acknowledged before a throw":    testThrow,
		"ackAll before a throw":          testAckAll,
		"retryAll spares what was acked": testRetryAll,
		"a retry without delay":          testAgain,
		"retries that are hastened":      testHastened,
		"dead letters":                   testDeadLetters,
		"dropped without dead letters":   testDropped,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, p.in(t))
		})
	}
}

// outcome sends "ack", "retry", "retry later" and "open" as one batch, and returns
// what is still there, with the whole seconds between the handler and the retry.
func outcome(p *platform, queue string, whole answer) map[any]int {
	p.handle(queue, func(_ context.Context, b batch) answer {
		a := each(b, func(m message) verdict {
			switch m.Body {
			case "ack":
				return verdict{Ack: true}
			case "retry":
				return verdict{Retry: map[string]int{}}
			case "retry later":
				return verdict{Retry: map[string]int{"delaySeconds": 600}}
			}
			return verdict{}
		})
		a.Batch, a.Fail = whole.Batch, whole.Fail
		return a
	})
	p.send(queue, "ack", "retry", "retry later", "open")
	batches := p.wait(queue, func(b []batch) bool { return len(messages(b)) == 4 })
	require.Len(p.t, batches, 1)
	p.eventually(func() bool { return p.metrics(queue).Count < 4 })
	left := map[any]int{}
	for _, m := range p.peek(queue) {
		assert.Equal(p.t, 1, m.Attempts)
		left[m.Body] = int(m.Due.Sub(batches[0].At).Round(time.Minute).Seconds())
	}
	return left
}

func testVerdicts(t *testing.T, p *platform) {
	left := outcome(p, "verdicts", answer{})
	assert.Equal(t, map[any]int{"retry": 60, "retry later": 600}, left)
}

func testThrow(t *testing.T, p *platform) {
	left := outcome(p, "throws", answer{Fail: "after the verdicts"})
	assert.Equal(t, map[any]int{"retry": 60, "retry later": 600, "open": 60}, left)
}

func testAckAll(t *testing.T, p *platform) {
	left := outcome(p, "ackall", answer{Batch: verdict{Ack: true}, Fail: "after ackAll"})
	assert.Equal(t, map[any]int{"retry": 60, "retry later": 600}, left)
}

func testRetryAll(t *testing.T, p *platform) {
	left := outcome(p, "retryall", answer{Batch: verdict{Retry: map[string]int{"delaySeconds": 120}}})
	assert.Equal(t, map[any]int{"retry": 60, "retry later": 600, "open": 120}, left)
}

func testAgain(t *testing.T, p *platform) {
	p.handle("again", func(_ context.Context, b batch) answer {
		return each(b, func(m message) verdict {
			if m.Attempts == 1 {
				return verdict{Retry: map[string]int{}}
			}
			return verdict{Ack: true}
		})
	})
	p.send("again", "x")
	got := p.delivered("again", 2)
	assert.Equal(t, 2, got[1].Attempts)
	assert.Equal(t, got[0].ID, got[1].ID)
	p.emptied("again")
}

// Ten minutes are a tenth of a second, whoever says them; what was sent with a delay waits as ever.
func testHastened(t *testing.T, p *platform) {
	p.handle("hastened", func(_ context.Context, b batch) answer {
		return each(b, func(m message) verdict {
			switch m.Attempts {
			case 1:
				return verdict{Retry: map[string]int{}}
			case 2:
				return verdict{Retry: map[string]int{"delaySeconds": 600}}
			}
			return verdict{Ack: true}
		})
	})
	p.call("hastened", "send", "later", settings{"delaySeconds": 600})
	p.send("hastened", "now")
	got := p.delivered("hastened", 3)
	assert.Equal(t, []any{"now", 3}, []any{got[2].Body, got[2].Attempts})
	p.eventually(func() bool { return p.metrics("hastened").Count == 1 })
}

// A message goes through two dead-letter queues; the second has no consumer.
func testDeadLetters(t *testing.T, p *platform) {
	fail := func(context.Context, batch) answer { return answer{Fail: "poison"} }
	p.handle("poison", fail)
	p.handle("dead", fail)
	p.send("poison", map[string]string{"k": "v"})
	p.eventually(func() bool { return p.metrics("kept").Count == 1 })

	first := p.delivered("poison", 3)
	var attempts []int
	for _, m := range append(first, p.delivered("dead", 1)...) {
		attempts = append(attempts, m.Attempts)
		assert.Equal(t, first[0].ID, m.ID)
		assert.Equal(t, first[0].Timestamp, m.Timestamp)
		assert.Equal(t, first[0].Body, m.Body)
	}
	assert.Equal(t, []int{1, 2, 3, 1}, attempts)
	kept := p.peek("kept")[0]
	assert.Equal(t, first[0].ID, kept.ID)
	assert.Equal(t, first[0].Timestamp, kept.Timestamp)
	assert.Equal(t, "json", kept.ContentType)
	assert.Equal(t, map[string]any{"k": "v"}, kept.Body)
	p.emptied("poison")
	p.emptied("dead")
}

func testDropped(t *testing.T, p *platform) {
	p.handle("dropped", func(context.Context, batch) answer { return answer{Fail: "poison"} })
	p.send("dropped", 1)
	p.delivered("dropped", 1)
	p.emptied("dropped")
}
