package trace_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/trace"
)

const (
	id   = "0af7651916cd43dd8448eb211c80319c"
	span = "b7ad6b7169203331"
	good = "00-" + id + "-" + span + "-01"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		good:                            good,
		"00-" + id + "-" + span + "-00": "00-" + id + "-" + span + "-00",
		"00-" + id + "-" + span + "-03": "00-" + id + "-" + span + "-03",
		"00-" + id + "-" + span + "-ff": "00-" + id + "-" + span + "-03", // unknown flags are not passed on
		"cc-" + id + "-" + span + "-01": good,                            // a later version is read as far as 00 goes
		"cc-" + id + "-" + span + "-01-what-the-future-brings": good,
	} {
		p, err := trace.Parse(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, p.String())
		assert.Equal(t, id, p.TraceID())
	}
}

func TestParseRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"empty":                    "",
		"version ff":               "ff" + good[2:],
		"version in capitals":      "0A" + good[2:],
		"version of one digit":     good[1:],
		"version of text":          "xx" + good[2:],
		"trace in capitals":        strings.ToUpper(good),
		"trace of zeros":           "00-" + strings.Repeat("0", 32) + "-" + span + "-01",
		"span of zeros":            "00-" + id + "-" + strings.Repeat("0", 16) + "-01",
		"trace not hexadecimal":    strings.Replace(good, "0af7", "0ag7", 1),
		"span not hexadecimal":     strings.Replace(good, "b7ad", "b7a-", 1),
		"flags not hexadecimal":    good[:53] + "0x",
		"flags of one digit":       good[:54],
		"flags of three digits":    good + "0",
		"more in version 00":       good + "-00",
		"later version, no hyphen": "01" + good[2:] + "00",
		"underscores":              strings.ReplaceAll(good, "-", "_"),
		"space before":             " " + good,
		"space after":              good + " ",
		"short trace":              "00-" + id[1:] + "-" + span + "-01",
		"long trace":               "00-" + id + "0-" + span + "-01",
		"two of them":              good + "," + good,
		"characters of two bytes":  "00-" + strings.Repeat("ä", 16) + "-" + span + "-01",
	} {
		_, err := trace.Parse(text)
		assert.Error(t, err, name)
	}
}

func TestNewAndChild(t *testing.T) {
	root, err := trace.New(rand.Reader)
	require.NoError(t, err)
	parsed, err := trace.Parse(root.String())
	require.NoError(t, err)
	assert.Equal(t, root, parsed)
	assert.Equal(t, byte(trace.Sampled|trace.Random), root.Flags)

	child, err := root.Child(rand.Reader)
	require.NoError(t, err)
	assert.Equal(t, root.TraceID(), child.TraceID())
	assert.Equal(t, root.Flags, child.Flags)
	assert.NotEqual(t, root.Span, child.Span)
}

func TestZerosAreNoID(t *testing.T) {
	zerosThenOnes := io.MultiReader(bytes.NewReader(make([]byte, 16)), bytes.NewReader(bytes.Repeat([]byte{1}, 16)),
		bytes.NewReader(make([]byte, 8)), bytes.NewReader(bytes.Repeat([]byte{2}, 8)))
	p, err := trace.New(zerosThenOnes)
	require.NoError(t, err)
	assert.Equal(t, "00-"+strings.Repeat("01", 16)+"-"+strings.Repeat("02", 8)+"-03", p.String())
}

func TestNoRandomnessIsAnError(t *testing.T) {
	_, err := trace.New(bytes.NewReader(make([]byte, 15)))
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
	_, err = trace.Parent{Trace: [16]byte{1}}.Child(bytes.NewReader(nil))
	assert.ErrorIs(t, err, io.EOF)
}

func TestTheZeroParentIsNone(t *testing.T) {
	assert.Empty(t, trace.Parent{}.String())
}

func ExampleParse() {
	p, err := trace.Parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	if err != nil {
		panic(err)
	}
	child, err := p.Child(bytes.NewReader([]byte{1, 2, 3, 4, 5, 6, 7, 8}))
	if err != nil {
		panic(err)
	}
	fmt.Println(child)
	// Output: 00-0af7651916cd43dd8448eb211c80319c-0102030405060708-01
}
