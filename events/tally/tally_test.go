package tally_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/events/tally"
)

// values counts as the decoder of the standard library sees it.
func values(t require.TestingT, text string) int {
	var count func(v any) int
	count = func(v any) int {
		n := 1
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				n += count(e)
			}
		case map[string]any:
			for _, e := range v {
				n += count(e)
			}
		}
		return n
	}
	var v any
	require.NoError(t, json.Unmarshal([]byte(text), &v))
	return count(v)
}

func TestEveryValueCounts(t *testing.T) {
	for _, text := range []string{
		`7`, ` "a" `, `[]`, `{}`, `null`, `[1,2,3]`, `[[],[],[{}]]`, `{"a":1,"b":[true,null,-1.5e3],"c":{"d":"e"}}`,
		`["a,b","[{","\"","\\","\\\"",",\\\",[",""]`, `{"a\"b,:":1,"c\\":"d"}`, "{\n\t\"a\" : [ 1 , 2 ] \r\n}", `{"日本":["語","本"]}`, `["\u0022,",1]`,
	} {
		n := values(t, text)
		assert.NoError(t, tally.Check([]byte(text), "", n), text)
		assert.Equal(t, tally.CodeComplex, fault.As(tally.Check([]byte(text), "", n-1)).Code, text)
	}
}

func TestTheFirstThatIsTooManyHasAPlace(t *testing.T) {
	for _, tc := range []struct {
		text, at string
		most     int
		place    string
	}{
		{`[1,2,3]`, "", 3, "[2]"},
		{`{"a":1,"b":[1,{"c":2}]}`, "", 5, "b[1].c"},
		{`{"a":1,"b":[1,{"c":2}]}`, "params", 3, "params.b[0]"},
		{`{"a":[],"b":1}`, "params", 2, "params.b"},
		{`7`, "params", 0, "params"},
		{`{"` + strings.Repeat("n", 500) + `":1}`, "", 1, strings.Repeat("n", 64)},
		{`{"` + strings.Repeat("日", 500) + `":1}`, "", 1, strings.Repeat("日", 21)},
	} {
		f := fault.As(tally.Check([]byte(tc.text), tc.at, tc.most))
		assert.Equal(t, tally.CodeComplex, f.Code, tc.text)
		assert.Equal(t, fault.Invalid, f.Kind)
		assert.Equal(t, tc.place, f.Field, tc.text)
		assert.NotEmpty(t, f.Hint)
	}
}

func TestDepthIsBounded(t *testing.T) {
	nested := func(n int) []byte { return []byte(strings.Repeat(`[`, n) + strings.Repeat(`]`, n)) }
	assert.NoError(t, tally.Check(nested(128), "", tally.MaxValues))
	f := fault.As(tally.Check(nested(129), "data", tally.MaxValues))
	assert.Equal(t, tally.CodeDeep, f.Code)
	assert.Equal(t, "data"+strings.Repeat("[0]", 128), f.Field)
}

// What is no JSON is for others to refuse; nobody is harmed by it here.
func TestWhatIsNoJSONPasses(t *testing.T) {
	for _, text := range []string{``, `"`, `"\`, `]]]`, `}{`, `,,,`, `:`, `{"a"`, `{:1}`, `nul`, "\x00\xff", `{"a":1,]`} {
		assert.NotPanics(t, func() { _ = tally.Check([]byte(text), "", 10) }, text)
	}
}

// Nothing is built: what a text of half a million values takes is a few levels.
func TestNothingIsBuilt(t *testing.T) {
	long := []byte(`{"text":"` + strings.Repeat(`\"日`, 1<<18) + `"}`)
	many := []byte(`[` + strings.Repeat(`1,`, 500_000) + `1]`)
	assert.LessOrEqual(t, testing.AllocsPerRun(3, func() { _ = tally.Check(long, "", 10) }), 4.0)
	assert.LessOrEqual(t, testing.AllocsPerRun(3, func() { _ = tally.Check(many, "", 1_000_000) }), 4.0)
}

func FuzzCheck(f *testing.F) {
	for _, s := range []string{`{"a":[1,"b",{"c":null}]}`, `["\\\"",{}]`, `]{"`, ` 1 `} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		err := tally.Check([]byte(text), "", 1<<30)
		if !json.Valid([]byte(text)) {
			return
		}
		if err != nil {
			assert.Equal(t, tally.CodeDeep, fault.As(err).Code)
			return
		}
		n := tokens(t, text)
		assert.NoError(t, tally.Check([]byte(text), "", n))
		assert.Error(t, tally.Check([]byte(text), "", n-1))
	})
}

// tokens counts the values of a text by the decoder's tokens, so that a name that occurs twice counts twice.
func tokens(t *testing.T, text string) (n int) {
	dec := json.NewDecoder(bytes.NewReader([]byte(text)))
	var walk func()
	walk = func() {
		token, err := dec.Token()
		require.False(t, errors.Is(err, io.EOF))
		require.NoError(t, err)
		n++
		switch token {
		case json.Delim('['):
			for dec.More() {
				walk()
			}
		case json.Delim('{'):
			for dec.More() {
				_, err := dec.Token()
				require.NoError(t, err)
				walk()
			}
		default:
			return
		}
		_, err = dec.Token()
		require.NoError(t, err)
	}
	dec.UseNumber()
	walk()
	return n
}

func BenchmarkCheck(b *testing.B) {
	for name, text := range map[string][]byte{
		"values": []byte(`[` + strings.Repeat(`1,`, 49_000) + `1]`),
		"text":   []byte(`{"text":"` + strings.Repeat(`It was a bright cold day in April. `, 30_000) + `"}`),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if err := tally.Check(text, "", tally.MaxValues); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
