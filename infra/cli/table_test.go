package cli

import (
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/stretchr/testify/assert"
)

func TestTablesFitTheTerminal(t *testing.T) {
	g := newTable(column{name: "when", spare: 1}, "what", column{name: "attempts", spare: 2}, column{name: "why", sparse: true})
	g.add("2026-11-22 10:00:00Z", "handbook/start.md", 4, "")
	g.add("2026-11-22 10:00:01Z", "a", 1, "")
	widest := func(drawn string) int { return text.LongestLineLen(drawn) }

	drawn, left := g.render(0)
	assert.Equal(t, strings.TrimSpace(`
┌──────────────────────┬───────────────────┬──────────┐
│ WHEN                 │ WHAT              │ ATTEMPTS │
├──────────────────────┼───────────────────┼──────────┤
│ 2026-11-22 10:00:00Z │ handbook/start.md │        4 │
│ 2026-11-22 10:00:01Z │ a                 │        1 │
└──────────────────────┴───────────────────┴──────────┘`), drawn)
	assert.Empty(t, left)
	wide := widest(drawn)
	same, left := g.render(wide)
	assert.Equal(t, drawn, same, "it fits exactly")
	assert.Empty(t, left)

	drawn, left = g.render(wide - 1)
	assert.Equal(t, []string{"attempts"}, left)
	assert.LessOrEqual(t, widest(drawn), wide-1)
	drawn, left = g.render(30)
	assert.Equal(t, []string{"attempts", "when"}, left)
	assert.Contains(t, drawn, "handbook/start.md")
	drawn, _ = g.render(14)
	assert.Equal(t, strings.TrimSpace(`
┌────────────┐
│ WHAT       │
├────────────┤
│ handbook/s │
│ tart.md    │
│ a          │
└────────────┘`), drawn, "what nothing can be left out of is broken")

	ids := newTable(column{name: "job", id: true}, "state")
	ids.add("01a203c3-736b-7000-9388-e3829b639953", "failed, document_broken")
	drawn, _ = ids.render(60)
	assert.Contains(t, drawn, "01a203c3-736b-7000-9388-e3829b639953", "an id is kept whole")
	assert.LessOrEqual(t, widest(drawn), 60)
	drawn, _ = ids.render(40)
	assert.LessOrEqual(t, widest(drawn), 40)

	g.add("x", "y", 1, strings.Repeat("a reason ", 20))
	drawn, left = g.render(60)
	assert.LessOrEqual(t, widest(drawn), 60)
	assert.NotContains(t, left, "why")
	assert.Contains(t, drawn, "handbook/start.md", "the widest gives way")
}

func TestCommandsThatAreAdvisedMeanTheSamePlatform(t *testing.T) {
	assert.Equal(t, "levada jobs follow x", view{}.command("levada jobs follow x"))
	o := &platformOptions{URL: "http://127.0.0.1:9000", Tenant: "acme", State: "my state", Key: "lev_secret"}
	assert.Equal(t, "levada jobs follow x --url http://127.0.0.1:9000 --tenant acme --state-dir 'my state' --key KEY", view{Platform: o}.command("levada jobs follow x"))
}
