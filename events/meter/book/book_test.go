package book_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/events/meter"
	"levada.dev/events/meter/book"
	"levada.dev/events/meter/metertest"
	"levada.dev/events/trace"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
	"levada.dev/tenants/tenantstest"
)

// world is two tenants' meters, and a clock.
type world struct {
	*testing.T
	now          time.Time
	meters       *memory.Meters
	acme, globex tenants.Scope
	number       int64
}

func newWorld(t *testing.T) *world {
	w := &world{T: t, now: time.Date(2026, 11, 23, 10, 20, 30, 0, time.UTC)}
	w.meters = memory.NewMeters(func() time.Time { return w.now })
	w.acme, w.globex = tenantstest.Two(t)
	return w
}

func (w *world) add(s tenants.Scope, n int, spans ...trace.Span) {
	w.Helper()
	w.number++
	require.NoError(w, w.meters.Add(w.Context(), s, meter.Batch{Writer: "w", Number: w.number, Set: metertest.Set(n), Spans: spans}))
}

func (w *world) alarm(s tenants.Scope) time.Time {
	w.Helper()
	next, err := w.meters.Alarm(s)
	require.NoError(w, err)
	return next
}

// read is the slots of a step, as "time=searches".
func (w *world) read(s tenants.Scope, step time.Duration) string {
	w.Helper()
	slots, err := w.meters.Read(w.Context(), s, meter.Query{From: w.now.Add(-60 * 24 * time.Hour), To: w.now.Add(24 * time.Hour), Step: step})
	require.NoError(w, err)
	var all []string
	for _, slot := range slots {
		n := int64(0)
		for of, c := range slot.Set.All() {
			if of.Metric == meter.Searches {
				n += c.Sum
			}
		}
		all = append(all, fmt.Sprintf("%s=%d", slot.Start.Format("02T15:04"), n))
	}
	return strings.Join(all, " ")
}

func (w *world) span(name string, start time.Time) trace.Span {
	return trace.Span{Trace: name + strings.Repeat("0", 32-len(name)), ID: strings.Repeat("1", 16), Kind: trace.Request, Name: "r", Start: start, Facts: trace.Facts{Outcome: trace.OK}}
}

func (w *world) count(s tenants.Scope) int {
	n, err := w.meters.Count(w.Context(), s, 10_000)
	require.NoError(w, err)
	return n
}

// keys are those of a tenant's rows that begin with a prefix.
func (w *world) keys(s tenants.Scope, prefix string) (all []string) {
	w.meters.Rows(s, func(tx rows.Tx) {
		found, err := tx.Scan(prefix, 10_000)
		require.NoError(w, err)
		for _, row := range found {
			all = append(all, row.Key)
		}
	})
	return all
}

func TestAnHourIsMadeOfItsMinutes(t *testing.T) {
	w := newWorld(t)
	w.add(w.acme, 1)
	w.now = w.now.Add(5 * time.Minute)
	w.add(w.acme, 2)
	w.add(w.globex, 7)
	assert.Equal(t, time.Date(2026, 11, 23, 11, 0, 0, 0, time.UTC), w.alarm(w.acme))
	w.now = time.Date(2026, 11, 23, 10, 59, 59, 999, time.UTC)
	w.add(w.acme, 3)
	w.alarm(w.acme)
	assert.Empty(t, w.keys(w.acme, "h/"), "it is not over")
	want := func() {
		t.Helper()
		assert.Equal(t, "23T10:20=1 23T10:25=2 23T10:59=3", w.read(w.acme, meter.Minute))
		assert.Equal(t, "23T10:00=6", w.read(w.acme, meter.Hour))
		assert.Equal(t, "23T10:20=6", w.read(w.acme, meter.Ever))
	}
	want()
	w.now = time.Date(2026, 11, 23, 11, 0, 0, 0, time.UTC)
	want()
	for range 3 {
		w.alarm(w.acme)
		want()
		assert.Len(t, w.keys(w.acme, "h/"), 1)
		assert.Len(t, w.keys(w.acme, "e/"), 1)
	}
	w.add(w.acme, 4)
	assert.Equal(t, "23T10:00=6 23T11:00=4", w.read(w.acme, meter.Hour))
	assert.Equal(t, "23T10:20=10", w.read(w.acme, meter.Ever))
	assert.Equal(t, "23T10:00=7", w.read(w.globex, meter.Hour), "which has its own alarm")
	assert.Empty(t, w.keys(w.globex, "h/"))
}

// A clock that goes back over the end of an hour that is made counts in the hour after it: no hour changes once it is made.
func TestAClockThatGoesBack(t *testing.T) {
	w := newWorld(t)
	w.add(w.acme, 1)
	w.now = time.Date(2026, 11, 23, 11, 0, 5, 0, time.UTC)
	w.alarm(w.acme)
	w.now = w.now.Add(-10 * time.Second)
	w.add(w.acme, 2)
	w.now = w.now.Add(-10 * time.Minute)
	w.add(w.acme, 3)
	w.alarm(w.acme)
	w.now = time.Date(2026, 11, 23, 11, 0, 5, 0, time.UTC)
	w.add(w.acme, 4)
	assert.Equal(t, "23T10:20=1 23T11:00=9", w.read(w.acme, meter.Minute))
	assert.Equal(t, "23T10:00=1 23T11:00=9", w.read(w.acme, meter.Hour))
	assert.Equal(t, "23T10:20=10", w.read(w.acme, meter.Ever))
}

func TestWhatIsOldGoes(t *testing.T) {
	w := newWorld(t)
	w.add(w.acme, 1, w.span("a", w.now))
	w.add(w.globex, 1, w.span("a", w.now))
	begin := w.now
	assert.Equal(t, time.Date(2026, 11, 23, 11, 0, 0, 0, time.UTC), w.alarm(w.acme))

	w.now = time.Date(2026, 11, 23, 13, 20, 59, 0, time.UTC)
	assert.Equal(t, time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC), w.alarm(w.acme), "when the minute is old")
	assert.Equal(t, "23T10:20=1", w.read(w.acme, meter.Minute))
	w.now = w.now.Add(time.Second)
	assert.Empty(t, w.read(w.acme, meter.Minute), "it is not told any more")
	assert.Len(t, w.keys(w.acme, "m/"), 1)
	assert.Equal(t, time.Date(2026, 11, 24, 11, 0, 0, 0, time.UTC), w.alarm(w.acme), "when the trace is")
	assert.Empty(t, w.keys(w.acme, "m/"))
	assert.Equal(t, "23T10:00=1", w.read(w.acme, meter.Hour))

	w.now = begin.Add(meter.KeepTraces)
	w.alarm(w.acme)
	_, err := w.meters.Trace(t.Context(), w.acme, w.span("a", begin).Trace)
	require.NoError(t, err)
	w.now = w.now.Add(time.Microsecond)
	_, err = w.meters.Trace(t.Context(), w.acme, w.span("a", begin).Trace)
	assert.Equal(t, "trace_not_found", fault.As(err).Code, "also before the alarm")
	traces, err := w.meters.Traces(t.Context(), w.acme, meter.TraceQuery{Limit: 1})
	require.NoError(t, err)
	assert.Empty(t, traces)
	assert.Equal(t, time.Date(2026, 12, 29, 0, 0, 0, 0, time.UTC), w.alarm(w.acme), "when the hour is")
	assert.Empty(t, append(w.keys(w.acme, "t/"), w.keys(w.acme, "s/")...))

	w.now = time.Date(2026, 12, 28, 10, 59, 59, 0, time.UTC)
	w.alarm(w.acme)
	assert.Equal(t, "23T10:00=1", w.read(w.acme, meter.Hour))
	w.now = w.now.Add(time.Second)
	assert.Empty(t, w.read(w.acme, meter.Hour))
	assert.Zero(t, w.alarm(w.acme), "nothing more will be due")
	assert.Equal(t, "23T10:20=1", w.read(w.acme, meter.Ever), "what there ever was stays")
	assert.Equal(t, 1, w.count(w.acme))
	assert.Equal(t, 2, w.count(w.globex), "which has its own alarm")
	assert.Len(t, w.keys(w.globex, "m/"), 1, "an hour that is not made keeps its minutes")
	w.alarm(w.globex)
	assert.Equal(t, "23T10:20=1", w.read(w.globex, meter.Ever), "however late it is made")
	assert.Equal(t, 1, w.count(w.globex))
}

// Whatever comes when, and however often alarms ring or fail: minutes, hours and everything add up to what was told, each batch once.
func TestEverythingAddsUp(t *testing.T) {
	for seed := range uint64(30) {
		w, rng := newWorld(t), rand.New(rand.NewPCG(seed, 1))
		var told int
		fails := 0
		hook := func(string) error {
			if fails++; fails%2 == 1 && rng.IntN(3) == 0 {
				return errors.New("the object was reset")
			}
			return nil
		}
		w.meters.Before, w.meters.After = hook, hook
		again := func(f func() error) {
			for f() != nil {
			}
		}
		numbers := map[string]int64{}
		start := w.now
		for range 120 {
			w.now = w.now.Add(time.Duration(rng.ExpFloat64() * float64(12*time.Minute)))
			if rng.IntN(10) == 0 {
				w.now = w.now.Add(-time.Duration(rng.IntN(600)) * time.Second)
			}
			if rng.IntN(4) == 0 {
				again(func() error { _, err := w.meters.Alarm(w.acme); return err })
				continue
			}
			writer, n := fmt.Sprint("w", rng.IntN(3)), rng.IntN(5)
			numbers[writer]++
			b := meter.Batch{Writer: writer, Number: numbers[writer], Set: metertest.Set(n)}
			again(func() error { return w.meters.Add(t.Context(), w.acme, b) })
			told += n
		}
		w.meters.Before, w.meters.After = nil, nil
		sum := func(step time.Duration) (n int64) {
			slots, err := w.meters.Read(t.Context(), w.acme, meter.Query{From: start.Add(-time.Hour), To: w.now.Add(2 * time.Hour), Step: step})
			require.NoError(t, err)
			for _, slot := range slots {
				for of, c := range slot.Set.All() {
					if of.Metric == meter.Searches {
						n += c.Sum
					}
				}
			}
			return n
		}
		for range 2 {
			assert.EqualValues(t, told, sum(meter.Hour), seed)
			assert.EqualValues(t, told, sum(meter.Ever), seed)
			w.alarm(w.acme)
		}
	}
}

func TestAWriterIsForgotten(t *testing.T) {
	w := newWorld(t)
	add := func(writer string) {
		require.NoError(t, w.meters.Add(t.Context(), w.acme, meter.Batch{Writer: writer, Number: 1, Set: metertest.Set(1)}))
	}
	add("a")
	w.now = w.now.Add(time.Hour)
	add("b")
	add("a")
	assert.Equal(t, "23T10:20=2", w.read(w.acme, meter.Ever), "it is known for an hour")
	w.now = w.now.Add(time.Second)
	add("b")
	add("c")
	var st struct{ Writers map[string]any }
	w.meters.Rows(w.acme, func(tx rows.Tx) {
		_, err := rows.Read(tx, "w", &st)
		require.NoError(t, err)
	})
	assert.Len(t, st.Writers, 2)
	assert.NotContains(t, st.Writers, "a")
}

// The state's row stays small, however many isolates there are. Who was silent for longest is forgotten first.
func TestSoManyWritersAreRemembered(t *testing.T) {
	w := newWorld(t)
	writers := map[string]any{}
	for i := range 5_000 {
		writers[fmt.Sprintf("w%023d", i)] = map[string]int64{"n": 1, "t": w.now.Unix() - int64(i%3000)}
	}
	w.meters.Rows(w.acme, func(tx rows.Tx) { require.NoError(t, rows.Write(tx, "w", map[string]any{"writers": writers})) })
	w.add(w.acme, 1)
	w.meters.Rows(w.acme, func(tx rows.Tx) {
		text, err := tx.Get("w")
		require.NoError(t, err)
		assert.Less(t, len(text), 500_000)
		var st struct{ Writers map[string]any }
		require.NoError(t, json.Unmarshal(text, &st))
		assert.Len(t, st.Writers, 5_000)
		assert.Contains(t, st.Writers, "w")
		assert.NotContains(t, st.Writers, fmt.Sprintf("w%023d", 2999))
	})
}

// A version that does not know a metric keeps the others, also where the slot had several rows.
func TestAVersionOfBefore(t *testing.T) {
	w := newWorld(t)
	large := `[{"m":"levada_searches","l":["fresh"],"s":2},{"m":"levada_from_the_future","l":["` + strings.Repeat("x", 1_000_000) + `"],"s":1}]`
	at := w.now.Truncate(time.Minute).Unix()
	w.meters.Rows(w.acme, func(tx rows.Tx) {
		require.NoError(t, tx.Put(fmt.Sprintf("m/%011d/00", at), []byte(large[:900_000])))
		require.NoError(t, tx.Put(fmt.Sprintf("m/%011d/01", at), []byte(large[900_000:])))
	})
	w.add(w.acme, 1)
	assert.Equal(t, "23T10:20=3", w.read(w.acme, meter.Minute))
	assert.Len(t, w.keys(w.acme, "m/"), 1)
}

// What a batch costs in rows.
func TestABatchWritesTwoRows(t *testing.T) {
	w := newWorld(t)
	w.add(w.acme, 1)
	was := w.meters.Written(w.acme)
	w.add(w.acme, 1)
	assert.Equal(t, 2, w.meters.Written(w.acme)-was)
	was = w.meters.Written(w.acme)
	w.add(w.acme, 1, w.span("a", w.now), w.span("a", w.now), w.span("b", w.now))
	assert.Equal(t, 2+2*2, w.meters.Written(w.acme)-was, "and two for each trace")
	was = w.meters.Written(w.acme)
	require.NoError(t, w.meters.Add(t.Context(), w.acme, meter.Batch{Writer: "w", Number: w.number, Set: metertest.Set(1)}))
	assert.Equal(t, was, w.meters.Written(w.acme), "what is repeated writes nothing")
}

// A batch that failed is repeated, whether it had its effect or not.
func TestABatchThatFailed(t *testing.T) {
	for _, after := range []bool{false, true} {
		w := newWorld(t)
		broken := func(string) error { return fault.Unavailablef(nil, "object_unavailable", "gone") }
		if after {
			w.meters.After = broken
		} else {
			w.meters.Before = broken
		}
		b := meter.Batch{Writer: "w", Number: 1, Set: metertest.Set(3), Spans: []trace.Span{w.span("a", w.now)}}
		require.Error(t, w.meters.Add(t.Context(), w.acme, b))
		w.meters.Before, w.meters.After = nil, nil
		require.NoError(t, w.meters.Add(t.Context(), w.acme, b))
		assert.Equal(t, "23T10:20=3", w.read(w.acme, meter.Ever))
		spans, err := w.meters.Trace(t.Context(), w.acme, b.Spans[0].Trace)
		require.NoError(t, err)
		assert.Len(t, spans, 1)
	}
}

// A bar ends a minute after it is lifted, and by itself after two days.
func TestABarEnds(t *testing.T) {
	w := newWorld(t)
	for name, end := range map[string]func(){
		"lifted": func() {
			require.NoError(t, w.meters.Unbar(t.Context(), w.acme, "job"))
			w.now = w.now.Add(59 * time.Second)
			w.add(w.acme, 1)
			require.NoError(t, w.meters.Unbar(t.Context(), w.acme, "job"))
			w.now = w.now.Add(time.Second)
		},
		"forgotten": func() {
			w.now = w.now.Add(48*time.Hour - time.Second)
			w.add(w.acme, 1)
			w.now = w.now.Add(time.Second)
		},
	} {
		_, err := w.meters.Bar(t.Context(), w.acme, "job")
		require.NoError(t, err)
		w.add(w.acme, 1)
		end()
		assert.Zero(t, w.count(w.acme), name)
		w.add(w.acme, 1)
		assert.Equal(t, 1, w.count(w.acme), name)
		_, err = w.meters.Clear(t.Context(), w.acme, 10)
		require.NoError(t, err)
	}
}

func TestRowsThatCannotBeRead(t *testing.T) {
	for key, ask := range map[string]func(*world) error{
		"w": func(w *world) error {
			return w.meters.Add(w.Context(), w.acme, meter.Batch{Writer: "w", Number: 9, Set: metertest.Set(1)})
		},
		"m/01763893200/00": func(w *world) error {
			_, err := w.meters.Read(w.Context(), w.acme, meter.Query{})
			return err
		},
		"m/01763893x00/00": func(w *world) error {
			_, err := w.meters.Alarm(w.acme)
			return err
		},
		"t/9763893200000000/x": func(w *world) error {
			_, err := w.meters.Traces(w.Context(), w.acme, meter.TraceQuery{Limit: 1})
			return err
		},
	} {
		w := newWorld(t)
		w.meters.Rows(w.acme, func(tx rows.Tx) { require.NoError(t, tx.Put(key, []byte("{["))) })
		assert.Error(t, ask(w), key)
	}
}

var _ metertest.Meters = (*book.Client)(nil)
