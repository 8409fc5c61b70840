package builtin

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/tenants"
)

func TestCalculator(t *testing.T) {
	acme, globex := two(t)
	for _, c := range []struct {
		operation string
		a, b      float64
		want      float64
	}{
		{"add", 0.1, 0.2, 0.3}, {"add", 1e308, -1e308, 0}, {"add", 0, 0, 0}, {"subtract", 0.3, 0.1, 0.2}, {"subtract", 1, 1, 0},
		{"multiply", 1.1, 1.1, 1.21}, {"multiply", 0, -5, 0}, {"multiply", 1e-300, 1e-300, 0}, {"divide", 1, 3, 1.0 / 3}, {"divide", 0, -7, 0}, {"divide", 0.3, 0.1, 3},
		{"power", 2, 10, 1024}, {"power", 1.1, 2, 1.21}, {"power", 2, -1, 0.5}, {"power", 0, 0, 1}, {"power", 4, 0.5, 2}, {"power", -2, 3, -8}, {"power", -1, 1e15, 1},
		{"power", 2, 1023, math.Pow(2, 1023)}, {"power", 5e-324, 64, 0}, {"power", -1, 101, -1},
	} {
		for _, config := range []*tenants.Config{acme, globex} {
			got, err := call[calculatorOutput](t, Deps{}, config, "calculator", in{"operation": c.operation, "a": c.a, "b": c.b})
			require.NoError(t, err, c)
			assert.Equal(t, c.want, got.Result, c)
			assert.False(t, math.Signbit(got.Result) && got.Result == 0, "no minus zero")
		}
	}
	for a, want := range map[float64]float64{0: 0, 2: math.Sqrt2, 9: 3, 1e-320: math.Sqrt(1e-320)} {
		got, err := call[calculatorOutput](t, Deps{}, acme, "calculator", in{"operation": "sqrt", "a": a})
		require.NoError(t, err)
		assert.Equal(t, want, got.Result)
	}
}

func TestWhatCannotBeCalculated(t *testing.T) {
	for _, c := range []struct {
		input          in
		field, message string
	}{
		{in{"operation": "divide", "a": 1, "b": 0}, "b", "is 0"}, {in{"operation": "sqrt", "a": -1}, "a", "is negative"},
		{in{"operation": "add", "a": 1}, "b", "is required for add"}, {in{"operation": "power", "a": 0, "b": -1}, "b", "is negative"},
		{in{"operation": "power", "a": -8, "b": 0.5}, "b", "is not whole"}, {in{"operation": "multiply", "a": 1e308, "b": 10}, "a", "is too large"},
		{in{"operation": "power", "a": 10, "b": 400}, "a", "is too large"}, {in{"operation": "power", "a": 1e300, "b": 64}, "a", "is too large"},
		{in{"operation": "divide", "a": 1e300, "b": 1e-300}, "a", "is too large"},
		{in{"operation": "modulo", "a": 1, "b": 2}, "params.operation", "is none of"}, {in{"operation": "add", "a": "1", "b": 2}, "params.a", "is string"},
		{in{"operation": "add", "b": 2}, "params.a", "is required"}, {in{"operation": "add", "a": 1, "b": 2, "c": 3}, "params.c", "is not known"},
	} {
		refused(t, Deps{}, "calculator", c.input, c.field, c.message)
	}
}
