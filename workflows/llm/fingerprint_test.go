package llm

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestEveryFieldOfAPromptIsInItsFingerprint goes by the type: a field that is added to Prompt, Message, ToolCall or Tool is
// tested here by itself.
func TestEveryFieldOfAPromptIsInItsFingerprint(t *testing.T) {
	prompt := reflect.New(reflect.TypeFor[Prompt]()).Elem()
	fill(t, prompt)
	of := map[string]string{} // fingerprint -> what was changed
	note := func(what string) {
		f, err := fingerprint(question{"acme", "m", "1", prompt.Interface().(Prompt)})
		require.NoError(t, err)
		assert.Empty(t, of[f], "%s makes no difference", what)
		of[f] = what
	}
	note("nothing")
	changed := 0
	vary(t, "Prompt", prompt, func(path string) {
		if path == "Prompt.Stream" {
			return
		}
		changed++
		note(path)
	})
	assert.Greater(t, changed, 40)

	full := prompt.Interface().(Prompt)
	whole, err := fingerprint(question{"acme", "m", "1", full})
	require.NoError(t, err)
	full.Stream = !full.Stream
	same, err := fingerprint(question{"acme", "m", "1", full})
	require.NoError(t, err)
	assert.Equal(t, whole, same, "however it is wanted, it is the same answer")
	for _, q := range []question{{"globex", "m", "1", full}, {"acme", "n", "1", full}, {"acme", "m", "2", full}, {"acme", "m1", "", full}} {
		other, err := fingerprint(q)
		require.NoError(t, err)
		assert.NotEqual(t, whole, other)
	}
}

// fill gives every field of v a value, and every list one element.
func fill(t *testing.T, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	case reflect.Float64:
		v.SetFloat(1)
	case reflect.Uint8:
		v.SetUint('1')
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(t, v.Index(0))
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i))
		}
	default:
		t.Fatalf("the test and the fingerprint do not know %s", v.Type())
	}
}

// vary changes one thing in v after the other, reports each and takes it back.
func vary(t *testing.T, path string, v reflect.Value, report func(path string)) {
	old := reflect.New(v.Type()).Elem()
	old.Set(v)
	set := func(how string, x reflect.Value) {
		v.Set(x)
		report(path + how)
		v.Set(old)
	}
	switch v.Kind() {
	case reflect.String:
		set("", reflect.ValueOf("y").Convert(v.Type()))
		set("=none", reflect.Zero(v.Type()))
		set("=\\xff", reflect.ValueOf("\xff").Convert(v.Type()))
		set("=\\xfe", reflect.ValueOf("\xfe").Convert(v.Type()))
	case reflect.Bool, reflect.Int, reflect.Int64, reflect.Float64, reflect.Uint8:
		set("", reflect.Zero(v.Type()))
	case reflect.Pointer:
		set("=nil", reflect.Zero(v.Type()))
		vary(t, path, v.Elem(), report)
	case reflect.Slice:
		set("=none", reflect.Zero(v.Type()))
		set("=two", reflect.AppendSlice(reflect.AppendSlice(reflect.Zero(v.Type()), v), v))
		vary(t, path+"[0]", v.Index(0), report)
	case reflect.Struct:
		for i := range v.NumField() {
			vary(t, path+"."+v.Type().Field(i).Name, v.Field(i), report)
		}
	default:
		t.Fatalf("the test and the fingerprint do not know %s", v.Type())
	}
}

func TestTextsThatRunIntoEachOtherAreOthers(t *testing.T) {
	of := map[string]int{}
	for i, p := range []Prompt{
		{Messages: []Message{{Role: User, Content: "ab"}, {Role: User, Content: "c"}}},
		{Messages: []Message{{Role: User, Content: "a"}, {Role: User, Content: "bc"}}},
		{Messages: []Message{{Role: User, Content: "abc"}}},
		{Messages: []Message{{Role: User, Content: "ab", Name: "c"}}},
		{Messages: []Message{{Role: User, Content: "abc"}}, Stop: []string{"a", "b"}},
		{Messages: []Message{{Role: User, Content: "abc"}}, Stop: []string{"ab"}},
		{Messages: []Message{{Role: User, Content: "abc"}}, Stop: []string{"a", "", "b"}},
		{Format: json.RawMessage(`{"a":1}`)},
		{ToolChoice: json.RawMessage(`{"a":1}`)},
		{},
	} {
		f, err := fingerprint(question{"acme", "m", "1", p})
		require.NoError(t, err)
		before, seen := of[f]
		assert.False(t, seen, "%d is as %d", i, before)
		of[f] = i
	}
}

func TestFingerprintIsOfWhatItKnows(t *testing.T) {
	_, err := canonical(nil, reflect.ValueOf(struct{ M map[string]int }{}))
	assert.Error(t, err, "a map has no order")
}

func BenchmarkFingerprint(b *testing.B) {
	p := Prompt{MaxTokens: 1024}
	for i := range 40 {
		p.Messages = append(p.Messages, Message{Role: User, Content: fmt.Sprintf("%0500d", i)})
	}
	for b.Loop() {
		if _, err := fingerprint(question{"acme", "m", "1", p}); err != nil {
			b.Fatal(err)
		}
	}
}
