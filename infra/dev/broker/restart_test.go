package broker_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDeath kills the process while messages wait, are delayed and are in flight.
func TestDeath(t *testing.T) {
	p := newPlatform(t, map[string]settings{
		"kept":    {"consumer": nil},
		"flight":  {"maxWaitMs": 0},
		"delayed": {"maxWaitMs": 0},
		"alarm":   {"maxWaitMs": 0},
	})
	p.send("kept", "a", "bc")
	p.call("kept", "send", 1, settings{"delaySeconds": 600})
	kept, before := p.metrics("kept"), p.peek("kept")
	require.Equal(t, 3, kept.Count)
	p.handle("flight", func(held context.Context, _ batch) answer {
		<-held.Done()
		return answer{Fail: "the process is gone"}
	})
	p.send("flight", "twice")
	p.delivered("flight", 1)
	p.call("alarm", "send", "later", settings{"delaySeconds": 4})
	p.call("delayed", "send", "later", settings{"delaySeconds": 4})
	p.kill()
	require.Empty(t, p.got("delayed"))
	require.Empty(t, p.got("alarm"))

	p.handle("flight", nil)
	p.start()
	p.call("flight", "wake")
	p.call("delayed", "wake")
	assert.Equal(t, kept, p.metrics("kept"))
	assert.Equal(t, before, p.peek("kept"))
	got := p.delivered("flight", 2)
	assert.Equal(t, got[0], got[1], "the death is not counted as an attempt")
	assert.Equal(t, "later", p.delivered("delayed", 1)[0].Body)
	assert.Equal(t, "later", p.delivered("alarm", 1)[0].Body, "nobody woke this queue")
	for _, queue := range []string{"flight", "delayed", "alarm"} {
		p.emptied(queue)
	}
}

const (
	flood   = 20_000
	senders = 4
)

// TestDeathInAFlood kills the process when four senders have sent a part of 20,000
// messages and a part of those has arrived. What was sent arrives.
func TestDeathInAFlood(t *testing.T) {
	p := newPlatform(t, map[string]settings{"flood": {"maxBatchSize": 100, "maxWaitMs": 100}})
	enough := make(chan struct{})
	var once sync.Once
	p.handle("flood", func(held context.Context, _ batch) answer {
		if len(distinct(p.got("flood"))) > flood/4 {
			once.Do(func() { close(enough) })
			<-held.Done()
		}
		return answer{}
	})
	sent := make(chan []int)
	go func() { sent <- p.flood("flood", numbers(0, flood/100)) }()
	<-enough
	p.kill()
	unsent := <-sent
	require.Less(t, len(distinct(p.got("flood"))), flood)

	p.handle("flood", nil)
	p.start()
	p.call("flood", "wake")
	again := make([]any, len(unsent))
	for i, n := range unsent {
		again[i] = n
	}
	require.Empty(t, p.flood("flood", again))
	p.wait("flood", func(batches []batch) bool { return len(distinct(batches)) == flood })
	p.emptied("flood")
	t.Logf("%d of %d batches were sent before the death; %d deliveries for %d messages",
		flood/100-len(unsent), flood/100, len(messages(p.got("flood"))), flood)
}

// flood sends the hundreds of messages with the given numbers, with several
// senders, and returns the numbers that the queue did not take.
func (p *platform) flood(queue string, hundreds []any) (failed []int) {
	next := make(chan int, len(hundreds))
	for _, n := range hundreds {
		next <- n.(int)
	}
	close(next)
	var mu sync.Mutex
	var group sync.WaitGroup
	for range senders {
		group.Go(func() {
			for n := range next {
				messages := make([]settings, 100)
				for i := range messages {
					messages[i] = settings{"body": n*100 + i}
				}
				if _, err := p.try(queue, "sendBatch", messages); err != nil {
					mu.Lock()
					failed = append(failed, n)
					mu.Unlock()
				}
			}
		})
	}
	group.Wait()
	return failed
}

func distinct(batches []batch) map[any]bool {
	bodies := map[any]bool{}
	for _, b := range batches {
		for _, m := range b.Messages {
			bodies[m.Body] = true
		}
	}
	return bodies
}

// BenchmarkFlood measures 20,000 messages of 230 bytes, from the first send to the
// last delivery, with what the consumer costs: it tells the test of each batch.
func BenchmarkFlood(b *testing.B) {
	p := newPlatform(b, map[string]settings{"flood": {"maxBatchSize": 100, "maxWaitMs": 100}})
	total := 0
	for b.Loop() {
		total += flood
		_, err := p.ask(map[string]any{"flood": map[string]any{"queue": "flood", "from": total, "n": flood, "senders": senders}})
		require.NoError(b, err)
		p.delivered("flood", total)
	}
	b.ReportMetric(float64(total)/b.Elapsed().Seconds(), "messages/s")
}
