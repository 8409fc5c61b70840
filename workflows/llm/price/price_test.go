package price_test

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/llm/price"
	"levada.dev/workflows/speech"
)

var update = flag.Bool("update", false, "write docs/prices.md")

// unit is one column of a rate, and how the source says it.
type unit struct {
	name           string
	nanos, neurons int64
	per            int64   // units that the source's price is of
	step           float64 // to which it rounds dollars,
	part           float64 // and neurons
}

func units(m price.Model) (out []unit) {
	for _, u := range []unit{
		{"a million tokens read", m.USD.Input, m.Neurons.Input, 1e6, 0.001, 1},
		{"a million cached tokens", m.USD.Cached, m.Neurons.Cached, 1e6, 0.001, 1},
		{"a million tokens written", m.USD.Output, m.Neurons.Output, 1e6, 0.001, 1},
		{"1,000 characters", m.USD.Character, m.Neurons.Character, 1e3, 0.001, 0.01},
		{"a minute of sound", m.USD.Minute, m.Neurons.Minute, 1, 0.0001, 0.01},
	} {
		if u.nanos != 0 || u.neurons != 0 {
			out = append(out, u)
		}
	}
	return out
}

func (u unit) dollars() float64     { return float64(u.nanos*u.per) / 1e9 }
func (u unit) inNeurons() float64   { return float64(u.neurons*u.per) / 1e6 }
func (u unit) ofNeurons() float64   { return u.inNeurons() * quota.NanosPerNeuron / 1e9 }
func (u unit) roundedAway() float64 { return u.step/2 + u.part/2*quota.NanosPerNeuron/1e9 + 1e-9 }

// The source says each price twice, and rounds both: what they say differs by no more.
func TestDollarsAndNeuronsAgree(t *testing.T) {
	for _, m := range price.Prices().Models {
		require.NotEmpty(t, units(m), m.Name)
		for _, u := range units(m) {
			assert.Positive(t, u.nanos, "%s: %s", m.Name, u.name)
			assert.LessOrEqual(t, math.Abs(u.dollars()-u.ofNeurons()), u.roundedAway(), "%s: %s: $%g and %g neurons", m.Name, u.name, u.dollars(), u.inNeurons())
		}
	}
}

// Every model that can be asked has a price, and no price is of a model that cannot.
func TestEveryModelHasItsPrice(t *testing.T) {
	known := map[string]bool{}
	has := func(name string, usd, neurons price.Rate) {
		known[name] = true
		m := price.Of(name)
		assert.Equal(t, m.USD, usd, name)
		assert.Equal(t, m.Neurons, neurons, name)
	}
	for _, name := range append(llm.GenerationNames(true), tenants.GuardModels...) {
		m, err := llm.FindGeneration(name)
		require.NoError(t, err)
		has(name, m.Price, m.Neurons)
	}
	for _, m := range llm.EmbeddingModels() {
		has(m.Name, price.Rate{Input: m.Price}, price.Rate{Input: m.Neurons})
	}
	r, err := llm.FindReranker(llm.DefaultReranker)
	require.NoError(t, err)
	has(r.Name, price.Rate{Input: r.Price}, price.Rate{Input: r.Neurons})
	for _, m := range speech.Models() {
		has(m.Name, m.USD, m.Neurons)
	}
	for _, m := range price.Prices().Models {
		assert.True(t, known[m.Name], "%s: nobody asks it; take it out of the table", m.Name)
	}
	assert.Len(t, known, len(price.Prices().Models), "a model stands there twice")
	assert.PanicsWithValue(t, "price: no/such has no price; give it one in prices.json", func() { price.Of("no/such") })
}

func TestTheTableHasADate(t *testing.T) {
	at, err := time.Parse(time.DateOnly, price.Prices().At)
	require.NoError(t, err)
	assert.True(t, at.Year() >= 2026)
	assert.True(t, strings.HasPrefix(price.Prices().Source, "https://"))
}

func TestWhatUnitsCost(t *testing.T) {
	r := price.Rate{Input: 7, Cached: 2, Output: 50, Character: 11, Minute: 600}
	for want, u := range map[int64]price.Units{
		0: {}, 70: {Input: 10}, 45: {Input: 10, Cached: 5}, 500: {Output: 10}, 22: {Chars: 2}, 300: {Sound: 30 * time.Second}, 1: {Sound: time.Millisecond},
	} {
		assert.Equal(t, want, r.Of(u), "%+v", u)
	}
	r.Cached = 0
	assert.Equal(t, int64(70), r.Of(price.Units{Input: 10, Cached: 5}), "there is no such price")
}

// TestPageIsFresh fails when docs/prices.md does not say what the table says; run with -update.
func TestPageIsFresh(t *testing.T) {
	path := filepath.Join("..", "..", "..", "docs", "prices.md")
	want := page()
	if *update {
		require.NoError(t, os.WriteFile(path, want, 0o644))
	}
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(want, got), "stale: go test ./workflows/llm/price -run TestPageIsFresh -update")
}

func page() []byte {
	var b bytes.Buffer
	all := price.Prices()
	fmt.Fprintf(&b, `# Prices

Generated from [workflows/llm/price/prices.json](../workflows/llm/price/prices.json); run %[1]sgo test ./workflows/llm/price -run TestPageIsFresh -update%[1]s after a change.

Prices of %[2]s, from <%[3]s>. A call is booked at the prices of the version that made it, in dollars and in neurons, and stays so ([design/quota.md](design/quota.md)).
The provider bills neurons, $0.011 for 1,000, and says each price in dollars, too, rounded to a tenth of a cent. Both are booked as they are said, so of a month of the cheapest models what is billed may be some hundredths
off what the dollars say; the last column is by how much.
A price that changes is changed in that file, with the date; a test holds the two currencies to each other, and every model to a row.

| model | unit | $ | neurons | neurons in $ | off |
|---|---|---|---|---|---|
`, "`", all.At, all.Source)
	for _, m := range all.Models {
		name := "`" + m.Name + "`"
		if m.As != "" {
			name += " (listed as `" + m.As + "`)"
		}
		for _, u := range units(m) {
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %.6f | %+.1f %% |\n", name, u.name, number(u.dollars()), number(u.inNeurons()), u.ofNeurons(), 100*(u.ofNeurons()/u.dollars()-1))
			name = ""
		}
	}
	b.WriteString("\n`@local/` models exist on the local platform alone, and their prices are made up.\n")
	return b.Bytes()
}

// number has as many digits as it needs.
func number(f float64) string {
	text := strings.TrimRight(fmt.Sprintf("%.6f", f), "0")
	return cmp.Or(strings.TrimSuffix(text, "."), "0")
}
