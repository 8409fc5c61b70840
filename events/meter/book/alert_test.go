package book_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/eventstest"
	"levada.dev/events/meter"
	"levada.dev/events/meter/alert"
	"levada.dev/events/meter/metertest"
	"levada.dev/tenants"
)

// requests counts so many of the tenant's, of which some failed.
func (w *world) requests(s tenants.Scope, n, failed int) {
	w.Helper()
	var set meter.Set
	set.Count(meter.Of(meter.Requests, "/chat", "POST", "200"), int64(n-failed))
	set.Count(meter.Of(meter.Requests, "/chat", "POST", "503"), int64(failed))
	w.number++
	require.NoError(w, w.meters.Add(w.Context(), s, meter.Batch{Writer: "w", Number: w.number, Set: &set}))
}

func (w *world) rule(s tenants.Scope, r alert.Rule) {
	w.Helper()
	_, err := w.meters.Set(w.Context(), s, alert.Order{Rule: r, NewID: "new"})
	require.NoError(w, err)
}

// told is what has left the tenant's outbox since it was last asked: "fired many 6", "resolved many ended".
func (w *world) told(s tenants.Scope) string {
	w.Helper()
	var out eventstest.Publisher
	_, err := w.meters.Relay(w.Context(), s, &out)
	require.NoError(w, err)
	var all []string
	for _, ev := range out.Events() {
		assert.Equal(w, s.Tenant(), ev.Tenant)
		switch ev.Type {
		case events.TypeAlertFired:
			var f events.AlertFired
			require.NoError(w, ev.As(&f))
			all = append(all, fmt.Sprint("fired ", f.Alert, " ", f.Value))
		case events.TypeAlertResolved:
			var f events.AlertResolved
			require.NoError(w, ev.As(&f))
			all = append(all, "resolved "+f.Alert+" "+f.Reason)
		}
	}
	return strings.Join(all, ", ")
}

func TestARuleFiresAndIsResolvedOnce(t *testing.T) {
	w := newWorld(t)
	w.rule(w.acme, metertest.Rule("many", 5))
	w.rule(w.globex, metertest.Rule("many", 5))
	assert.Equal(t, time.Date(2026, 11, 23, 10, 21, 0, 0, time.UTC), w.alarm(w.acme), "each minute, while there are rules")
	w.requests(w.acme, 5, 0)
	w.alarm(w.acme)
	assert.Empty(t, w.told(w.acme), "five are not more than five")
	w.requests(w.acme, 1, 0)
	for range 3 {
		w.alarm(w.acme)
		w.alarm(w.globex)
	}
	assert.Equal(t, "fired many 6", w.told(w.acme), "however often the alarm comes")
	assert.Empty(t, w.told(w.globex))
	for range 5 { // the minute of the counts goes out of the five
		w.now = w.now.Add(time.Minute)
		w.alarm(w.acme)
		assert.Empty(t, w.told(w.acme))
	}
	fired := w.now.Add(-5 * time.Minute)
	found, err := w.meters.List(t.Context(), w.acme)
	require.NoError(t, err)
	assert.Equal(t, []any{alert.Firing, fired}, []any{found[0].State, found[0].Since})
	w.now = w.now.Add(time.Minute)
	for range 3 {
		w.alarm(w.acme)
	}
	assert.Equal(t, "resolved many ended", w.told(w.acme))

	w.requests(w.acme, 9, 0)
	w.alarm(w.acme)
	assert.Equal(t, "fired many 9", w.told(w.acme), "another time is another fact")
	require.NoError(t, w.meters.Drop(t.Context(), w.acme, "many"))
	assert.Equal(t, "resolved many removed", w.told(w.acme))
	w.alarm(w.acme)
	assert.Empty(t, w.told(w.acme))
}

// A rule that looks at something else begins anew; one that is only called otherwise does not.
func TestARuleThatIsChangedBeginsAnew(t *testing.T) {
	w := newWorld(t)
	w.requests(w.acme, 10, 4)
	r := alert.Rule{ID: "f", Name: "Failing", Metric: "failure_rate", Comparator: alert.AtLeast, Threshold: 0.4, Period: "15m"}
	w.rule(w.acme, r)
	w.alarm(w.acme)
	assert.Equal(t, "fired f 0.4", w.told(w.acme))
	r.Name = "Many fail"
	w.rule(w.acme, r)
	w.alarm(w.acme)
	assert.Empty(t, w.told(w.acme))
	r.Threshold = 0.3
	w.rule(w.acme, r)
	assert.Equal(t, "resolved f changed", w.told(w.acme))
	w.now = w.now.Add(time.Second)
	w.alarm(w.acme)
	assert.Equal(t, "fired f 0.4", w.told(w.acme))
}

// Each metric of rules over each of their periods: minutes are read of the short ones, hours of the day, made or not.
func TestPeriodsLookBackSoFar(t *testing.T) {
	w := newWorld(t)
	for _, p := range []alert.Period{"5m", "15m", "1h", "24h"} {
		r := metertest.Rule("in-"+string(p), 0)
		r.Period = p
		w.rule(w.acme, r)
	}
	w.requests(w.acme, 1, 0)
	holding := func() (all []string) {
		w.alarm(w.acme)
		w.told(w.acme)
		found, err := w.meters.List(t.Context(), w.acme)
		require.NoError(t, err)
		for _, a := range found {
			if a.State == alert.Firing {
				all = append(all, string(a.Period))
			}
		}
		return all
	}
	began := w.now
	for _, c := range []struct {
		after time.Duration
		want  []string
	}{
		{0, []string{"15m", "1h", "24h", "5m"}}, {5 * time.Minute, []string{"15m", "1h", "24h", "5m"}}, {6 * time.Minute, []string{"15m", "1h", "24h"}}, {15 * time.Minute, []string{"15m", "1h", "24h"}},
		{16 * time.Minute, []string{"1h", "24h"}}, {time.Hour, []string{"1h", "24h"}}, {61 * time.Minute, []string{"24h"}}, {24 * time.Hour, []string{"24h"}}, {25 * time.Hour, nil},
	} {
		w.now = began.Add(c.after)
		assert.Equal(t, c.want, holding(), c.after)
	}
}

// An alarm that fails before or after it has looked tells the same, once.
func TestAnAlarmThatFailsTellsOnce(t *testing.T) {
	for _, at := range []string{"before", "after"} {
		w := newWorld(t)
		w.rule(w.acme, metertest.Rule("many", 5))
		w.requests(w.acme, 6, 0)
		broken := true
		fail := func(op string) error {
			if op == "tend" && broken {
				return errors.New("broken")
			}
			return nil
		}
		if at == "before" {
			w.meters.Before = fail
		} else {
			w.meters.After = fail
		}
		_, err := w.meters.Alarm(w.acme)
		require.Error(t, err)
		broken = false
		w.alarm(w.acme)
		w.alarm(w.acme)
		assert.Equal(t, "fired many 6", w.told(w.acme), at)
	}
}

// The alarm rests when the last rule is gone; nothing is looked at of a tenant that is being erased, and its rules go with the rest.
func TestRulesGoWithTheTenant(t *testing.T) {
	w := newWorld(t)
	w.rule(w.acme, metertest.Rule("many", 5))
	require.NoError(t, w.meters.Drop(t.Context(), w.acme, "many"))
	assert.Zero(t, w.alarm(w.acme))

	for i := range 30 {
		w.rule(w.acme, metertest.Rule(fmt.Sprint("r", i), 5))
	}
	w.requests(w.acme, 6, 0)
	_, err := w.meters.Bar(t.Context(), w.acme, "job")
	require.NoError(t, err)
	w.alarm(w.acme)
	assert.Empty(t, w.told(w.acme))
	for range 10 {
		_, err := w.meters.Clear(t.Context(), w.acme, 10)
		require.NoError(t, err)
	}
	assert.Zero(t, w.count(w.acme))
	found, err := w.meters.List(t.Context(), w.acme)
	require.NoError(t, err)
	assert.Empty(t, found)
	assert.Zero(t, w.alarm(w.acme))
}
