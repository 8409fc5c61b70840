package book_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants/quota"
)

func (d *desk) statement() quota.Statement {
	d.Helper()
	st, err := d.book.Statement(d.rows, quota.Query{From: "2026-11-01", To: "2026-12-31", Limits: limits})
	require.NoError(d, err)
	return st
}

// spent is what of each budget is spent: tokens and money of the day, then of the month, then characters of both.
func (d *desk) spent() (n [6]int64) {
	for i, b := range d.statement().Budgets {
		n[i] = b.Spent
	}
	return n
}

// What was used in another pool counts here, to the last token, however often and in however many steps it is said.
func TestWhatWasUsedElsewhereIsCarried(t *testing.T) {
	d := newDesk(t)
	line := func(day quota.Day, capability string, tokens, nanos int64) quota.Line {
		return quota.Line{Day: day, Capability: capability, Model: "m", Calls: 1, Prompt: tokens, Chars: 3 * tokens, Nanos: nanos}
	}
	d.exchange(quota.Report{Purse: "p", Seq: 1, Lines: []quota.Line{line("2026-11-30", "chat", 7, 70)}})
	told := len(d.told)
	own := d.spent()
	carry := func(lines ...quota.Line) {
		t.Helper()
		require.NoError(t, d.book.Carry(d.rows, "2026-11-01", lines))
	}
	for range 2 {
		carry(line("2026-11-03", "search", 100, 10), line("2026-11-30", "chat", 20, 2))
		assert.Equal(t, [6]int64{own[0] + 20, own[1] + 2, own[2] + 120, own[3] + 12, own[4] + 60, own[5] + 360}, d.spent())
	}
	assert.Len(t, d.statement().Lines, 2, "of the same day, capability and model there is one line")
	carry(line("2026-11-30", "chat", 25, 3)) // more of the one, and the other was put right
	assert.Equal(t, [6]int64{own[0] + 25, own[1] + 3, own[2] + 25, own[3] + 3, own[4] + 75, own[5] + 75}, d.spent())
	assert.Equal(t, int64(32), d.statement().Lines[0].Prompt)
	assert.Len(t, d.told, told, "who has used it has told it")

	g := d.exchange(quota.Report{Purse: "p", Seq: 2, Wants: []quota.Want{{Amount: quota.Amount{Tokens: 970}, Count: 1, Tenant: 1}}})
	assert.Zero(t, g.Wants[0].Granted, "a budget does not begin anew")
	carry()
	assert.Equal(t, own, d.spent())
}

func TestWhatNoAccountSaysIsNotCarried(t *testing.T) {
	d := newDesk(t)
	good := quota.Line{Day: "2026-11-03", Capability: "chat", Model: "m", Calls: 1}
	for name, change := range map[string]func(*quota.Line){
		"no day": func(l *quota.Line) { l.Day = "today" }, "before the first": func(l *quota.Line) { l.Day = "2026-10-31" },
		"less than nothing": func(l *quota.Line) { l.Nanos = -1 }, "fewer characters than none": func(l *quota.Line) { l.Chars = -1 }, "of nothing": func(l *quota.Line) { l.Capability = "" },
	} {
		l := good
		change(&l)
		err := d.book.Carry(d.rows, "2026-11-01", []quota.Line{l})
		assert.True(t, fault.Is(err, fault.Invalid), name)
	}
	assert.Error(t, d.book.Carry(d.rows, "", nil))
	assert.Error(t, d.book.Carry(d.rows, "2026-11-01", make([]quota.Line, 2001)))
	assert.Zero(t, d.count("c"))
}
