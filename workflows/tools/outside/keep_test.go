package outside_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/tools"
)

// What is seen to be no schema is left out, is logged once, and keeps no other tool away.
func TestAToolThatNobodyCouldCallIsLeftOut(t *testing.T) {
	w := newWorld(t, declared("order", nil), declared("stock", nil))
	for _, bad := range []string{`{"type":"array"}`, `{"type":"object"`, `{"type":"object","allOf":[{}` + strings.Repeat(",{}", 1_000) + `]}`} {
		w.log.Reset()
		c := *w.configs["acme"]
		c.Tools.HTTP = []tenants.HTTPTool{declared("order", func(d *tenants.HTTPTool) { d.Input = json.RawMessage(bad) }), c.Tools.HTTP[1]}
		for range 3 {
			all := w.own.Of(&c)
			require.Len(t, all, 1, bad)
			assert.Equal(t, "stock", all[0].Name)
		}
		assert.Equal(t, 1, strings.Count(w.log.String(), "left out"))
		assert.Contains(t, w.log.String(), "tenantId=acme tool=order")
	}
	c := *w.configs["acme"]
	c.Tools.HTTP = []tenants.HTTPTool{declared("order", func(d *tenants.HTTPTool) { d.URL = "https://a b/" })}
	assert.Empty(t, w.own.Of(&c))
	assert.Len(t, w.own.Of(w.configs["globex"]), 2, "another tenant's are there")
}

// A tool is compiled when it is called first, and not when another is. One that cannot be then does not exist, and no server is asked.
func TestAToolIsCompiledWhenItIsCalledFirst(t *testing.T) {
	for _, bad := range []string{`{"type":"object","properties":{"a":{"type":"txt"}}}`, `{"type":"object","$ref":"https://example.com/x"}`} {
		for _, edit := range []func(*tenants.HTTPTool){
			func(d *tenants.HTTPTool) { d.Input = json.RawMessage(bad) },
			func(d *tenants.HTTPTool) { d.Output = json.RawMessage(bad) },
		} {
			w := newWorld(t, declared("order", edit), declared("stock", nil))
			w.hosts["https://shop.example.com"] = answers(200, jsonType, `{}`)
			for _, s := range []tenants.Scope{w.acme, w.globex} {
				_, err := w.call(s, "stock", `{}`)
				require.NoError(t, err)
				assert.Len(t, w.own.Of(w.configs[s.Tenant()]), 2, "nothing was compiled but what was called")
				asked := len(w.urls())
				_, err = w.call(s, "order", `{}`)
				assert.Equal(t, tools.CodeNotFound, fault.As(err).Code)
				assert.Len(t, w.urls(), asked)
			}
		}
	}
}

// Short schemas are weighed by what they take when they are compiled.
func TestWhatIsKeptIsWeighedByItsParts(t *testing.T) {
	w := newWorld(t)
	for i := range 40 {
		c := tenants.Config{ID: tenants.ID(fmt.Sprintf("t-%d", i))}
		c.Tools.HTTP = []tenants.HTTPTool{declared("order", func(d *tenants.HTTPTool) {
			d.Input = json.RawMessage(`{"type":"object","allOf":[{}` + strings.Repeat(",{}", 900) + `]}`)
		})}
		c.Tools.Enabled = []string{"order"}
		c.Defaults()
		require.Len(t, w.own.Of(&c), 1)
	}
	tenants, bytes := w.own.Kept()
	assert.Equal(t, 9, tenants)
	assert.LessOrEqual(t, bytes, 8<<20)
}

// The same configuration, read again, has the same tools; another one has its own at once.
func TestToolsAreMadeOnceForAConfiguration(t *testing.T) {
	w := newWorld(t, declared("order", nil))
	schema := func(c *tenants.Config) any { return w.own.Of(c)[0].Input }
	first := schema(w.configs["acme"])
	assert.Same(t, first, schema(w.configs["acme"]))
	again := *w.configs["acme"]
	again.Tools.HTTP = []tenants.HTTPTool{declared("order", nil)}
	again.Defaults()
	assert.Same(t, first, schema(&again), "it says the same")
	other := again
	other.Tools.HTTP = []tenants.HTTPTool{declared("order", func(d *tenants.HTTPTool) { d.Description = "Another." })}
	other.Defaults()
	assert.NotSame(t, first, schema(&other))
	assert.Equal(t, "Another.", w.own.Of(&other)[0].Description)
	off := other
	off.Tools.Enabled = nil
	assert.Empty(t, w.own.Of(&off))
	assert.NotSame(t, first, schema(w.configs["globex"]), "tenants share nothing")
	none := again
	none.Tools.HTTP = nil
	assert.Nil(t, w.own.Of(&none))
}

// However many tenants there are, and whoever asks at once, each has its own.
func TestWhatIsKeptIsBounded(t *testing.T) {
	w := newWorld(t)
	long := `{"type":"object","description":"` + strings.Repeat("x", 60_000) + `"}`
	var all sync.WaitGroup
	for i := range 600 {
		all.Go(func() {
			c := tenants.Config{ID: tenants.ID(fmt.Sprintf("t-%d", i))}
			c.Tools.HTTP = []tenants.HTTPTool{declared("order", func(d *tenants.HTTPTool) {
				d.Description = string(c.ID)
				if i%3 == 0 {
					d.Input = json.RawMessage(long)
				}
			})}
			c.Tools.Enabled = []string{"order"}
			c.Defaults()
			for range 2 {
				own := w.own.Of(&c)
				if assert.Len(t, own, 1) {
					assert.Equal(t, string(c.ID), own[0].Description)
				}
			}
		})
	}
	all.Wait()
	tenants, bytes := w.own.Kept()
	assert.LessOrEqual(t, tenants, 256)
	assert.LessOrEqual(t, bytes, 8<<20)
	assert.Greater(t, tenants, 50, "and something is kept")
}
