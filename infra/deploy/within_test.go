package deploy

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestWhatAnActionDoesOfWhatWasShown(t *testing.T) {
	shown := Action{Op: Update, Kind: "tenants", Name: "acme-prod-config", Why: []string{"3 entries to write"}, parts: []string{"write a", "write b", "take away c"}}
	with := func(edit func(*Action)) Action {
		a := shown
		edit(&a)
		return a
	}
	for name, test := range map[string]struct {
		now    Action
		within bool
	}{
		"the same":        {shown, true},
		"fewer entries":   {with(func(a *Action) { a.Why, a.parts = []string{"1 entry to write"}, []string{"write b"} }), true},
		"another entry":   {with(func(a *Action) { a.parts = []string{"write d"} }), false},
		"gone, not wrong": {with(func(a *Action) { a.parts = []string{"take away b"} }), false},
		"it is drift now": {with(func(a *Action) { a.Op = Drift }), false},
		"destroyed":       {with(func(a *Action) { a.Op, a.parts = Destroy, nil }), false},
		"another":         {with(func(a *Action) { a.Name = "globex-prod-config" }), false},
		"of another kind": {with(func(a *Action) { a.Kind = "worker" }), false},
		"a worse reason":  {with(func(a *Action) { a.Why, a.parts = append(a.Why, "all at once: its class X is new"), nil }), false},
	} {
		assert.Equal(t, test.within, test.now.Within(shown), name)
	}
}
