package double

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// What is too large is asked about where it is measured: to send it takes longer than all other tests.
func TestSizes(t *testing.T) {
	random := make([]byte, 11<<20)
	for i := range random {
		random[i] = byte(rand.Uint32())
	}
	for name, c := range map[string]struct {
		modules []part
		words   string
	}{
		"small":                      {[]part{{contentType: "application/wasm", body: random[:1<<20]}}, ""},
		"large and compressible":     {[]part{{contentType: "application/wasm", body: make([]byte, 12<<20)}}, ""},
		"large and not compressible": {[]part{{contentType: "application/wasm", body: random}}, "10 MiB (compressed)"},
		"large in parts":             {[]part{{contentType: "application/wasm", body: random[:6<<20]}, {contentType: "text/plain", body: random[5<<20:]}}, "10 MiB (compressed)"},
		"too large in any case":      {[]part{{contentType: "application/wasm", body: make([]byte, 65<<20)}}, "64 MiB"},
		"maps do not count":          {[]part{{contentType: "application/source-map", body: make([]byte, 65<<20)}}, ""},
	} {
		err := (&call{parts: c.modules}).checkSize()
		if c.words == "" {
			assert.NoError(t, err, name)
		} else {
			assert.ErrorContains(t, err, c.words, name)
		}
	}
	text := strings.Repeat("x", maxValue+1)
	_, err := pair{Key: "a", Value: &text}.made(0)
	assert.ErrorContains(t, err, "26214401 bytes")
	text = text[1:]
	v, err := pair{Key: "a", Value: &text, TTL: minTTL}.made(5)
	assert.NoError(t, err)
	assert.True(t, bytes.Equal([]byte(text), v.value))
	assert.EqualValues(t, 65, v.expiration)
}
