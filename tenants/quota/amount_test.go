package quota_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/tenants/quota"
)

// each sets every number of a T to what f says of its place, so that none can be left out of what is done with it.
func each[T any](f func(i int) int64) (v T) {
	s := reflect.ValueOf(&v).Elem()
	for i := range s.NumField() {
		if s.Field(i).Kind() == reflect.Int64 {
			s.Field(i).SetInt(f(i))
		}
	}
	return v
}

func TestNoCurrencyIsLeftOut(t *testing.T) {
	amount := each[quota.Amount]
	small, large := amount(func(i int) int64 { return int64(i + 1) }), amount(func(i int) int64 { return int64(10 * (i + 2)) })
	assert.Equal(t, amount(func(i int) int64 { return int64(i + 1 + 10*(i+2)) }), small.Add(large))
	assert.Equal(t, amount(func(i int) int64 { return int64(i + 1 - 10*(i+2)) }), small.Sub(large))
	assert.Equal(t, amount(func(i int) int64 { return int64(3 * (i + 1)) }), small.Times(3))
	assert.Equal(t, amount(func(i int) int64 { return int64(10 * (i + 2) / 8) }), large.Part(8))
	assert.Equal(t, []quota.Amount{large, large, small, small}, []quota.Amount{small.Max(large), large.Max(small), small.Min(large), large.Min(small)})
	assert.True(t, large.Covers(small))
	assert.True(t, small.Covers(small))
	for n := range reflect.TypeFor[quota.Amount]().NumField() {
		one := amount(func(i int) int64 { return map[bool]int64{true: 1}[i == n] })
		assert.False(t, small.Covers(small.Add(one)), n)
		assert.True(t, one.Times(-1).Negative(), n)
		assert.False(t, one.Negative(), n)
		text, err := json.Marshal(one)
		require.NoError(t, err)
		var back quota.Amount
		require.NoError(t, json.Unmarshal(text, &back))
		assert.Equal(t, one, back)
	}
}

func TestNothingOfALineIsLeftOut(t *testing.T) {
	line := each[quota.Line]
	small, large := line(func(i int) int64 { return int64(i + 1) }), line(func(i int) int64 { return int64(10 * (i + 2)) })
	small.Day, small.Capability, small.Purpose, small.Model = "2026-11-22", "speech", "speech", "m"
	sum := line(func(i int) int64 { return int64(i + 1 + 10*(i+2)) })
	sum.Day, sum.Capability, sum.Purpose, sum.Model = small.Day, small.Capability, small.Purpose, small.Model
	assert.Equal(t, sum, small.Add(large))
	assert.Equal(t, small, sum.Sub(large))
	assert.True(t, small.Sub(small).Zero())
	for n := range reflect.TypeFor[quota.Line]().NumField() {
		one := line(func(i int) int64 { return map[bool]int64{true: 1}[i == n] })
		assert.Equal(t, reflect.TypeFor[quota.Line]().Field(n).Type.Kind() != reflect.Int64, one.Zero(), n)
	}
	u := quota.Use{Capability: "tools", Purpose: "speech", Model: "m", Prompt: 1, Completion: 2, Chars: 4, Neurons: 16, Nanos: 8, Estimated: true}
	booked := u.Line("2026-11-22")
	assert.Equal(t, quota.Line{
		Day: "2026-11-22", Capability: "tools", Purpose: "speech", Model: "m", Calls: 1, Prompt: 1, Completion: 2, Chars: 4, Neurons: 16, Nanos: 8, Estimated: 1,
	}, booked)
	assert.Equal(t, []quota.Amount{{Tokens: 3, Chars: 4, Nanos: 8}, {Tokens: 3, Chars: 4, Nanos: 8}}, []quota.Amount{u.Amount(), booked.Amount()})
}
