package book_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/tenants/quota/book"
	"levada.dev/tenants/rows"
	"levada.dev/tenants/tenantstest"
)

// desk is a book over rows in memory, with a clock that the test moves.
type desk struct {
	*testing.T
	now   time.Time
	rows  *rows.Memory
	book  *book.Book
	told  []book.Fact
	scope tenants.Scope
}

func newDesk(t *testing.T) *desk {
	d := &desk{T: t, now: time.Date(2026, 11, 30, 23, 0, 0, 0, time.UTC), rows: rows.NewMemory(), scope: tenantstest.Scope(t, "acme")}
	d.book = book.New(func() time.Time { return d.now }, func(_ rows.Tx, _ tenants.Scope, _ time.Time, f book.Fact) error {
		d.told = append(d.told, f)
		return nil
	})
	require.NoError(t, d.rows.Put("tenant", []byte("acme"))) // as call.Serve does
	return d
}

var limits = quota.Limits{
	Tenant: tenants.Rate{PerMinute: 60, Burst: 100}, User: tenants.Rate{PerMinute: 60, Burst: 10},
	Day: quota.Amount{Tokens: 1000, Chars: 1000, Nanos: 1000}, Month: quota.Amount{Tokens: 1000, Chars: 1000, Nanos: 1000},
}

func (d *desk) exchange(r quota.Report) quota.Grant {
	d.Helper()
	r.Limits = limits
	if r.Rates == nil {
		r.Rates = []quota.Rate{{}}
	}
	g, err := d.book.Exchange(d.rows, d.scope, r)
	require.NoError(d, err)
	return g
}

func (d *desk) count(prefix string) int {
	found, err := d.rows.Scan(prefix, 10_000)
	require.NoError(d, err)
	return len(found)
}

func (d *desk) sweep(limit int) (end bool) {
	d.Helper()
	end, err := d.book.Sweep(d.rows, limit)
	require.NoError(d, err)
	return end
}

func tokens(n int64) quota.Amount { return quota.Amount{Tokens: n, Nanos: n} }

func TestUsersWhoseRateIsFullAreForgotten(t *testing.T) {
	d := newDesk(t)
	ask := func(key string) {
		d.exchange(quota.Report{Rates: []quota.Rate{{}, {Key: key}}, Wants: []quota.Want{{Count: 5, Tenant: 1, Own: 1, User: 1}}})
	}
	ask("aa-one")
	ask("aa-two")
	ask("bb-one")
	assert.Equal(t, 2, d.count("u/"))
	d.now = d.now.Add(time.Hour)
	ask("aa-three")
	row, err := d.rows.Get("u/aa")
	require.NoError(t, err)
	assert.NotContains(t, string(row), "aa-one")
	assert.Contains(t, string(row), "aa-three")
}

func TestARefusalWritesNothing(t *testing.T) {
	d := newDesk(t)
	ask := quota.Report{Rates: []quota.Rate{{}, {Key: "aa"}}, Wants: []quota.Want{{Count: 10, Tenant: 1, Own: 1, User: 1}}}
	assert.Equal(t, 10, d.exchange(ask).Wants[0].Granted)
	written := d.rows.Written
	assert.Equal(t, 0, d.exchange(ask).Wants[0].Granted)
	assert.Equal(t, written, d.rows.Written)
}

func TestASilentPurseIsClosedAndSettlesOnThatDay(t *testing.T) {
	d := newDesk(t)
	d.now = time.Date(2026, 11, 30, 23, 58, 0, 0, time.UTC)
	d.exchange(quota.Report{Purse: "p", Seq: 1, Wants: []quota.Want{{Count: 2, Amount: tokens(500)}}})
	d.now = d.now.Add(time.Minute)
	next, err := d.book.Close(d.rows)
	require.NoError(t, err)
	assert.Equal(t, d.now.Add(30*time.Second), next.UTC())
	d.now = next
	next, err = d.book.Close(d.rows)
	require.NoError(t, err)
	assert.True(t, next.IsZero())

	d.now = time.Date(2026, 12, 1, 0, 5, 0, 0, time.UTC)
	fresh := d.exchange(quota.Report{Purse: "q", Seq: 1, Wants: []quota.Want{{Count: 1, Amount: tokens(1000)}}})
	assert.Equal(t, 1, fresh.Wants[0].Granted, "the new day and month are free")
	late := quota.Report{
		Purse: "p", Seq: 2, Held: tokens(500), Lines: []quota.Line{{Day: "2026-12-01", Capability: "chat", Model: "m", Calls: 1, Prompt: 400, Nanos: 400}},
		Wants: []quota.Want{{Count: 1, Amount: tokens(1)}},
	}
	g := d.exchange(late)
	assert.True(t, g.Closed)
	assert.Equal(t, 0, g.Wants[0].Granted)
	assert.Equal(t, g, d.exchange(late))
	st, err := d.book.Statement(d.rows, quota.Query{From: "2026-11-30", To: "2026-12-01", Limits: limits})
	require.NoError(t, err)
	assert.Equal(t, []quota.Line{
		{Day: "2026-11-30", Capability: "chat", Model: "m", Calls: 1, Prompt: 400, Nanos: 400},
		{Day: "2026-11-30", Capability: book.Unsettled, Calls: 1, Prompt: 500, Nanos: 500, Estimated: 1},
	}, st.Lines)
	assert.Equal(t, []int64{0, 1000}, []int64{st.Budgets[0].Spent, st.Budgets[0].Reserved}, "nothing of it is the new day's")
	assert.Len(t, d.told, 2, "the closing, the correction")
}

func TestWhatIsOldIsSwept(t *testing.T) {
	d := newDesk(t)
	day := quota.DayOf(d.now)
	d.exchange(quota.Report{Purse: "p", Seq: 1, Lines: []quota.Line{{Day: day, Capability: "chat", Model: "m", Calls: 1, Prompt: 1}}})
	d.exchange(quota.Report{Purse: "q", Seq: 1, Wants: []quota.Want{{Count: 1, Amount: tokens(1)}}})
	d.now = d.now.Add(25 * time.Hour)
	d.sweep(100)
	assert.Equal(t, []int{1, 1}, []int{d.count("p/"), d.count("l/")}, "a purse that holds money is never forgotten")
	d.now = d.now.AddDate(2, 0, 0)
	_, err := d.book.Close(d.rows)
	require.NoError(t, err)
	d.sweep(100)
	assert.Equal(t, []int{0, 1}, []int{d.count("p/"), d.count("l/")}, "the line of the closing is young")
}

// TestASweepComesToEveryPurse: names are in no order of time, so old purses may stand behind any number of young ones.
func TestASweepComesToEveryPurse(t *testing.T) {
	d := newDesk(t)
	line := []quota.Line{{Day: quota.DayOf(d.now), Capability: "chat", Model: "m", Calls: 1, Prompt: 1}}
	for i := range 10 {
		d.exchange(quota.Report{Purse: fmt.Sprint("z", i), Seq: 1, Lines: line})
	}
	d.now = d.now.Add(25 * time.Hour)
	for i := range 20 {
		d.exchange(quota.Report{Purse: fmt.Sprint("a", i), Seq: 1, Lines: line})
	}
	steps := 1
	for ; !d.sweep(7); steps++ {
		require.Less(t, steps, 10)
	}
	assert.Equal(t, 5, steps, "thirty rows, seven at a time")
	assert.Equal(t, 20, d.count("p/"))
	d.now = d.now.Add(25 * time.Hour)
	for steps = 0; d.count("p/") > 0; steps++ {
		require.Less(t, steps, 10, "it begins again")
		d.sweep(7)
	}
}

func TestASweepThatFindsNothingWritesNothing(t *testing.T) {
	d := newDesk(t)
	d.exchange(quota.Report{Purse: "p", Seq: 1, Wants: []quota.Want{{Count: 1, Amount: tokens(1)}}})
	written := d.rows.Written
	assert.True(t, d.sweep(100))
	assert.Equal(t, written, d.rows.Written)
}

// TestWhatAnOlderVersionLeavesOut is a release that is rolled out, back and out again: the version of before writes the
// state's row without what it does not know of, and with a shorter list of what was told.
func TestWhatAnOlderVersionLeavesOut(t *testing.T) {
	d := newDesk(t)
	older := func() {
		row, err := d.rows.Get("s")
		require.NoError(t, err)
		var st map[string]any
		require.NoError(t, json.Unmarshal(row, &st))
		for _, k := range []string{"t", "m", "o"} {
			if sum, is := st[k].(map[string]any); is {
				delete(sum, "chars")
			}
		}
		if told, is := st["x"].([]any); is {
			st["x"] = told[:4]
		}
		row, err = json.Marshal(st)
		require.NoError(t, err)
		require.NoError(t, d.rows.Put("s", row))
	}
	speech := func(n int64) quota.Amount { return quota.Amount{Tokens: n, Chars: n} }
	d.exchange(quota.Report{Purse: "p", Seq: 1, Wants: []quota.Want{{Count: 1, Amount: speech(300)}}})
	assert.Equal(t, []int64{300, 300}, []int64{d.statement().Budgets[0].Reserved, d.statement().Budgets[4].Reserved})
	refused := d.exchange(quota.Report{Purse: "r", Seq: 1, Wants: []quota.Want{{Count: 1, Amount: quota.Amount{Chars: 1001}}}})
	assert.Equal(t, "budget_exhausted", refused.Wants[0].Refused.Code)
	require.Len(t, d.told, 2, "of the day and of the month")
	older()
	d.exchange(quota.Report{Purse: "p", Seq: 2, Lines: []quota.Line{
		{Day: quota.DayOf(d.now), Capability: "speech", Model: "m", Calls: 1, Prompt: 200, Chars: 200},
	}})
	for _, i := range []int{0, 4} {
		b := d.statement().Budgets[i]
		assert.Equal(t, []int64{200, 0}, []int64{b.Spent, b.Reserved}, "%s: the lease is not taken off twice", b.Unit)
	}
	g := d.exchange(quota.Report{Purse: "q", Seq: 1, Wants: []quota.Want{{Count: 2, Amount: speech(800)}}})
	assert.Equal(t, 1, g.Wants[0].Granted, "no more than there is")
	older()
	d.now = d.now.Add(book.Silence)
	_, err := d.book.Close(d.rows)
	require.NoError(t, err)
	for _, i := range []int{0, 4} {
		assert.Zero(t, d.statement().Budgets[i].Reserved)
	}
}

// TestAPurseThatSpokeIsClosedAndPutRight: what a purse held of characters is booked when it falls silent, and becomes what was used.
func TestAPurseThatSpokeIsClosedAndPutRight(t *testing.T) {
	d := newDesk(t)
	d.exchange(quota.Report{Purse: "p", Seq: 1, Wants: []quota.Want{{Count: 1, Amount: quota.Amount{Chars: 500, Nanos: 5}}}})
	d.now = d.now.Add(book.Silence)
	_, err := d.book.Close(d.rows)
	require.NoError(t, err)
	assert.Equal(t, []quota.Line{{Day: "2026-11-30", Capability: book.Unsettled, Calls: 1, Chars: 500, Nanos: 5, Estimated: 1}}, d.statement().Lines)
	d.exchange(quota.Report{Purse: "p", Seq: 2, Lines: []quota.Line{{Day: "2026-11-30", Capability: "speech", Model: "m", Calls: 1, Chars: 420, Nanos: 4}}})
	assert.Equal(t, []quota.Line{{Day: "2026-11-30", Capability: "speech", Model: "m", Calls: 1, Chars: 420, Nanos: 4}}, d.statement().Lines)
	assert.Equal(t, []int64{420, 420}, []int64{d.statement().Budgets[4].Spent, d.statement().Budgets[5].Spent})
	assert.Equal(t, []quota.Line{
		{Day: "2026-11-30", Capability: book.Unsettled, Calls: -1, Chars: -500, Nanos: -5, Estimated: -1},
		{Day: "2026-11-30", Capability: "speech", Model: "m", Calls: 1, Chars: 420, Nanos: 4},
	}, d.told[1].(book.Recorded).Lines)
	d.now = d.now.Add(time.Hour) // midnight, and the end of the month
	assert.Equal(t, []int64{0, 0}, []int64{d.statement().Budgets[4].Spent, d.statement().Budgets[5].Spent})
}
