package object

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/cloudflare/isolate/wire"
)

func table(t *testing.T, columns int, cells ...any) *Rows {
	t.Helper()
	frame, err := wire.Append(nil, cells...)
	require.NoError(t, err)
	return &Rows{Columns: columns, cells: wire.NewReader(frame)}
}

func TestScan(t *testing.T) {
	rows := table(t, 6, 1, 2.5, "x", []byte{0, 255}, nil, true, 7, "8", "y", nil, 9.0, 1)
	var n int64
	var f float64
	var s string
	var b []byte
	var p *string
	var a any
	require.True(t, rows.Next())
	require.NoError(t, rows.Scan(&n, &f, &s, &b, &p))
	assert.EqualValues(t, 1, n)
	assert.InDelta(t, 2.5, f, 0)
	assert.Equal(t, "x", s)
	assert.Equal(t, []byte{0, 255}, b)
	assert.Nil(t, p)
	require.True(t, rows.Next(), "the rest of the row is skipped")
	var ok bool
	require.NoError(t, rows.Scan(&f, &n, &s, &b, &a, &ok))
	assert.InDelta(t, 7, f, 0)
	assert.EqualValues(t, 8, n, "a decimal text is an integer")
	assert.Nil(t, b)
	assert.Equal(t, int64(9), a)
	assert.True(t, ok)
	assert.False(t, rows.Next())
	assert.ErrorIs(t, rows.One(&n), ErrNoRows)
}

func TestScanRefuses(t *testing.T) {
	var n int64
	var s string
	for _, c := range []struct {
		cell any
		dest any
		want string
	}{
		{math.Ldexp(1, 53), &n, "no exact integer"},
		{0.5, &n, "no exact integer"},
		{nil, &n, "NULL, want an integer"},
		{nil, &s, "NULL, want a string"},
		{1, &s, "want a string"},
		{"1x", &n, "invalid syntax"},
		{1, new(uint8), "cannot scan into *uint8"},
	} {
		assert.ErrorContains(t, table(t, 1, c.cell).One(c.dest), c.want)
	}
	assert.ErrorContains(t, table(t, 1, 1).One(&n, &n), "1 columns, 2 destinations")
	assert.ErrorIs(t, table(t, 1).Scan(&n), errRow)
}
