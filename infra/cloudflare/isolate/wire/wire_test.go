package wire_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/cloudflare/isolate/wire"
)

func TestRoundTrip(t *testing.T) {
	long := strings.Repeat("ü🎉", 100)
	frame, err := wire.Append(nil, nil, true, false, 7, int64(math.MinInt64), 0.5, "x", long, []byte{0, 255}, json.RawMessage(`{"a":1}`),
		[]float32{1, float32(math.Inf(-1))}, wire.List{1, wire.List{"a"}, nil}, []string{"p", "q"}, []byte(nil))
	require.NoError(t, err)
	r := wire.NewReader(frame)
	assert.True(t, r.Null())
	assert.True(t, r.Bool())
	assert.False(t, r.Bool())
	assert.EqualValues(t, 7, r.Int())
	assert.EqualValues(t, math.MinInt64, r.Int())
	assert.InDelta(t, 0.5, r.Float(), 0)
	assert.Equal(t, "x", r.String())
	assert.Equal(t, long, r.String())
	assert.Equal(t, []byte{0, 255}, r.Bytes())
	assert.Equal(t, wire.JSON, r.Next())
	assert.Equal(t, `{"a":1}`, string(r.Bytes()))
	assert.Equal(t, []float32{1, float32(math.Inf(-1))}, r.Float32s())
	assert.Equal(t, wire.Values, r.Next())
	r.Skip()
	assert.Equal(t, 2, r.List())
	assert.Equal(t, "pq", r.String()+r.String())
	assert.Nil(t, r.Bytes())
	assert.Equal(t, wire.End, r.Next())
	assert.NoError(t, r.Err())
}

func TestMismatch(t *testing.T) {
	frame, err := wire.Append(nil, "text", 1e300, 1)
	require.NoError(t, err)
	r := wire.NewReader(frame)
	assert.Zero(t, r.Int())
	assert.ErrorContains(t, r.Err(), "want an integer")
	assert.Empty(t, r.String(), "after an error everything is zero")
	r = wire.NewReader(frame)
	r.Skip()
	assert.Zero(t, r.Int())
	assert.ErrorContains(t, r.Err(), "no exact integer")
	_, err = wire.Append(nil, struct{}{})
	assert.ErrorContains(t, err, "struct {} cannot cross")
}

// A reader of any bytes neither panics nor runs for ever, and skips what it can read.
func FuzzReader(f *testing.F) {
	frame, _ := wire.Append(nil, 1, "a", wire.List{nil, []byte("b")}, []float32{1})
	f.Add(frame)
	f.Add([]byte{10, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, b []byte) {
		r := wire.NewReader(b)
		for r.Next() != wire.End && r.Err() == nil {
			r.Skip()
		}
		for _, read := range []func(*wire.Reader){
			func(r *wire.Reader) { r.Int() }, func(r *wire.Reader) { r.Float() }, func(r *wire.Reader) { _ = r.String() },
			func(r *wire.Reader) { r.Bytes() }, func(r *wire.Reader) { r.Float32s() }, func(r *wire.Reader) { r.List() },
		} {
			read(wire.NewReader(b))
		}
	})
}
