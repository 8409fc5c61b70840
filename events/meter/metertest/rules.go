package metertest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/events/meter"
	"levada.dev/events/meter/alert"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
)

// Rules are what the suite of rules is of: the rules, and the counts that they look at.
type Rules interface {
	meter.Sink
	alert.Rules
}

// TestRules checks the promises of alert.Rules, but for those that time alone brings about. Each test has two tenants of its own.
func TestRules(t *testing.T, open func(t *testing.T) Rules) {
	for name, test := range map[string]func(*testing.T, office){
		"a rule is taken in, and put in another's place": takenIn,
		"an order with its key is taken once":            orderedOnce,
		"a tenant has so many rules":                     fullOfRules,
		"a rule tells its number":                        toldNumber,
		"a tenant's rules are its own":                   ownRules,
		"what is no rule is refused":                     noRule,
		"nobody has rules":                               nobodysRules,
	} {
		t.Run(name, func(t *testing.T) {
			x := office{T: t, Rules: open(t)}
			id := tenantstest.Fresh(t, "")
			id = id[len(id)-12:]
			x.acme, x.globex = tenantstest.Scope(t, "r-"+id), tenantstest.Scope(t, "r-"+id+"-2")
			test(t, x)
		})
	}
}

type office struct {
	*testing.T
	Rules
	acme, globex tenants.Scope
}

// Rule is a sound one: more than so many requests in five minutes.
func Rule(id string, threshold float64) alert.Rule {
	return alert.Rule{ID: id, Name: "Rule " + id, Metric: "requests", Comparator: alert.Above, Threshold: threshold, Period: "5m"}
}

func (x office) set(s tenants.Scope, o alert.Order) alert.Taken {
	x.Helper()
	taken, err := x.Set(x.Context(), s, o)
	require.NoError(x, err)
	return taken
}

func (x office) names(s tenants.Scope) (all []string) {
	x.Helper()
	found, err := x.List(x.Context(), s)
	require.NoError(x, err)
	for _, a := range found {
		all = append(all, a.Name)
	}
	return all
}

func takenIn(t *testing.T, x office) {
	first := x.set(x.acme, alert.Order{Rule: Rule("b", 5)})
	assert.Equal(t, []any{true, alert.OK, Rule("b", 5), "requests"}, []any{first.Fresh, first.Alert.State, first.Alert.Rule, first.Alert.Unit})
	assert.WithinDuration(t, time.Now(), first.Alert.Since, time.Minute)
	named := x.set(x.acme, alert.Order{Rule: Rule("", 1), NewID: "made"})
	assert.Equal(t, []any{true, "made"}, []any{named.Fresh, named.Alert.ID})
	again := Rule("b", 7)
	again.Name = "A new name"
	second := x.set(x.acme, alert.Order{Rule: again, NewID: "unused"})
	assert.Equal(t, []any{false, again}, []any{second.Fresh, second.Alert.Rule})
	assert.Equal(t, []string{"A new name", "Rule "}, x.names(x.acme))

	require.NoError(t, x.Drop(t.Context(), x.acme, "b"))
	assert.Equal(t, "alert_not_found", fault.As(x.Drop(t.Context(), x.acme, "b")).Code)
	assert.True(t, fault.Is(x.Drop(t.Context(), x.acme, "none/of"), fault.NotFound))
	assert.Equal(t, []string{"Rule "}, x.names(x.acme))
}

func orderedOnce(t *testing.T, x office) {
	order := alert.Order{Rule: Rule("", 5), NewID: "one", Key: "k"}
	first := x.set(x.acme, order)
	order.NewID = "two"
	assert.Equal(t, alert.Taken{Alert: first.Alert}, x.set(x.acme, order))
	order.Rule.Threshold = 6
	_, err := x.Set(t.Context(), x.acme, order)
	assert.Equal(t, []any{fault.Conflict, "idempotency_conflict"}, []any{fault.As(err).Kind, fault.As(err).Code})
	assert.True(t, x.set(x.globex, order).Fresh, "whose key is its own")
	require.NoError(t, x.Drop(t.Context(), x.acme, "one"))
	assert.Equal(t, "two", x.set(x.acme, order).Alert.ID, "the key goes with its rule")

	named := alert.Order{Rule: Rule("n", 5), NewID: "unused", Key: "n"}
	x.set(x.acme, named)
	assert.False(t, x.set(x.acme, named).Fresh)
	named.Rule.ID = "other"
	_, err = x.Set(t.Context(), x.acme, named)
	assert.Equal(t, "idempotency_conflict", fault.As(err).Code)
}

func fullOfRules(t *testing.T, x office) {
	for i := range alert.MaxRules {
		x.set(x.acme, alert.Order{Rule: Rule(fmt.Sprint("r-", i), 1)})
	}
	_, err := x.Set(t.Context(), x.acme, alert.Order{Rule: Rule("more", 1)})
	assert.Equal(t, []any{fault.Conflict, "alerts_full"}, []any{fault.As(err).Kind, fault.As(err).Code})
	assert.False(t, x.set(x.acme, alert.Order{Rule: Rule("r-7", 2)}).Fresh)
	assert.True(t, x.set(x.globex, alert.Order{Rule: Rule("more", 1)}).Fresh)
	assert.Len(t, x.names(x.acme), alert.MaxRules)
}

func toldNumber(t *testing.T, x office) {
	slow := alert.Rule{ID: "slow", Name: "Slow", Metric: "latency_p50", Comparator: alert.Above, Threshold: 1, Period: "24h"}
	none := x.set(x.acme, alert.Order{Rule: slow})
	assert.Nil(t, none.Alert.Value, "where nothing was counted there is no quantile")
	assert.Equal(t, 0.0, *x.set(x.acme, alert.Order{Rule: Rule("many", 1)}).Alert.Value)
	var set meter.Set
	set.Count(meter.Of(meter.Requests, "/chat", "POST", "200"), 3)
	set.Observe(meter.Of(meter.RequestDuration, "/chat", "POST"), 500)
	require.NoError(t, x.Add(t.Context(), x.acme, meter.Batch{Writer: "w", Number: 1, Set: &set}))
	found, err := x.List(t.Context(), x.acme)
	require.NoError(t, err)
	require.Len(t, found, 2)
	assert.Equal(t, []any{3.0, 0.25, alert.OK}, []any{*found[0].Value, *found[1].Value, found[0].State}, "and whether it holds is looked at each minute")
}

func ownRules(t *testing.T, x office) {
	x.set(x.acme, alert.Order{Rule: Rule("a", 1)})
	assert.Empty(t, x.names(x.globex))
	assert.Equal(t, "alert_not_found", fault.As(x.Drop(t.Context(), x.globex, "a")).Code)
	assert.Equal(t, []string{"Rule a"}, x.names(x.acme))
}

func noRule(t *testing.T, x office) {
	for _, bad := range []alert.Rule{{}, {ID: "a/b", Name: "n", Metric: "requests", Comparator: ">", Period: "5m"}, {Name: "n", Metric: "none", Comparator: ">", Period: "5m"}} {
		_, err := x.Set(t.Context(), x.acme, alert.Order{Rule: bad, NewID: "x"})
		assert.True(t, fault.Is(err, fault.Invalid), "%+v", bad)
	}
	assert.Empty(t, x.names(x.acme))
}

func nobodysRules(t *testing.T, x office) {
	_, err := x.Set(t.Context(), tenants.Scope{}, alert.Order{Rule: Rule("a", 1)})
	assert.Error(t, err)
	_, err = x.List(t.Context(), tenants.Scope{})
	assert.Error(t, err)
	assert.Error(t, x.Drop(t.Context(), tenants.Scope{}, "a"))
}
