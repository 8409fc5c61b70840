package events_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
)

// headers are those of a minimal event, changed: an empty value removes one, several are sent several times.
func headers(changes ...string) http.Header {
	h := http.Header{}
	for _, kv := range [][2]string{{"ce-specversion", "1.0"}, {"ce-id", "1"}, {"ce-source", "/s"}, {"ce-type", "t"}} {
		h.Set(kv[0], kv[1])
	}
	seen := map[string]bool{}
	for i := 0; i < len(changes); i += 2 {
		name := http.CanonicalHeaderKey(changes[i])
		if !seen[name] {
			h.Del(name)
		}
		seen[name] = true
		if changes[i+1] != "-" {
			h[name] = append(h[name], changes[i+1])
		}
	}
	return h
}

func TestBinaryEvents(t *testing.T) {
	ev, err := events.DecodeBinary(headers("CE-Subject", "a%20b", "ce-time", "2018-04-05T03:56:24Z", "ce-dataschema", "https://example.com/s",
		"ce-Ext", "5", "Content-Type", "application/json; charset=utf-8", "User-Agent", "x"), []byte(`{"a":1}`))
	require.NoError(t, err)
	assert.Equal(t, "1", ev.ID())
	assert.Equal(t, "/s", ev.Source())
	assert.Equal(t, "t", ev.Type())
	assert.Equal(t, "a b", ev.Subject())
	assert.Equal(t, "https://example.com/s", ev.DataSchema())
	assert.Equal(t, time.Date(2018, 4, 5, 3, 56, 24, 0, time.UTC), ev.Time())
	assert.Equal(t, "application/json; charset=utf-8", ev.DataContentType())
	assert.Equal(t, map[string]any{"ext": "5"}, ev.Extensions(), "a header has no type")
	assert.Equal(t, `{"a":1}`, string(ev.Data()))

	ev, err = events.DecodeBinary(headers(), nil)
	require.NoError(t, err)
	assert.Empty(t, ev.DataContentType())
	assert.Empty(t, ev.Data())
	ev, err = events.DecodeBinary(headers("Content-Type", "application/octet-stream"), []byte{0, 0xff})
	require.NoError(t, err)
	assert.Equal(t, []byte{0, 0xff}, ev.Data(), "any data")
}

func TestHeaderValuesAreDecodedOnce(t *testing.T) {
	for value, want := range map[string]string{
		"plain":                                "plain",
		"with space":                           "with space",
		"Euro%20%E2%82%AC%20%F0%9F%98%80":      "Euro € 😀",
		"Euro%20%e2%82%ac":                     "Euro €",
		"%41%42":                               "AB",
		"100%2525":                             "100%25",
		`"Euro € 😀"`:                           "!",
		`"quoted \"and\" \\ escaped"`:          `quoted "and" \ escaped`,
		`"a%20b"`:                              "a b",
		`{%22a%22:%205}`:                       `{"a": 5}`,
		`%`:                                    "!",
		`%4`:                                   "!",
		`%4g`:                                  "!",
		`100%`:                                 "!",
		`%C0%A0`:                               "!", // overlong
		`%ED%A0%80`:                            "!", // a surrogate
		`%FF`:                                  "!",
		`%00`:                                  "!",
		`%0a`:                                  "!",
		"ünencoded":                            "!",
		`"open`:                                "!",
		`"open\`:                               "!",
		`"`:                                    "!",
		"tab\there":                            "!",
		"%EF%BF%BE":                            "!", // U+FFFE
		strings.Repeat("x", 9000):              "!",
		strings.Repeat("%41", 8192):            strings.Repeat("A", 8192),
		strings.Repeat(`%E2%82%AC`, 1):         "€",
		`http://example.com/a?b=c&d=%7B%22%7D`: `http://example.com/a?b=c&d={"}`,
	} {
		ev, err := events.DecodeBinary(headers("ce-subject", value), nil)
		if want == "!" {
			require.Error(t, err, "%.40q", value)
			assert.Equal(t, "event_invalid", fault.As(err).Code)
			assert.Equal(t, "subject", fault.As(err).Field)
			continue
		}
		require.NoError(t, err, "%.40q", value)
		assert.Equal(t, want, ev.Subject())
	}
}

func TestBinaryEventsThatAreNone(t *testing.T) {
	many := []string{}
	for i := range 65 {
		many = append(many, "ce-x"+strings.Repeat("a", i), "v")
	}
	for name, c := range map[string]struct {
		header http.Header
		field  string
	}{
		"no specversion":             {headers("ce-specversion", "-"), "specversion"},
		"no id":                      {headers("ce-id", "-"), "id"},
		"no source":                  {headers("ce-source", "-"), "source"},
		"no type":                    {headers("ce-type", "-"), "type"},
		"empty id":                   {headers("ce-id", ""), "id"},
		"blank type":                 {headers("ce-type", "%20"), "type"},
		"empty subject":              {headers("ce-subject", ""), "subject"},
		"old version":                {headers("ce-specversion", "0.3"), "specversion"},
		"id twice":                   {headers("ce-id", "1", "ce-id", "1"), "id"},
		"source":                     {headers("ce-source", "http://[::1"), "source"},
		"source with encoded space":  {headers("ce-source", "/a%20b"), "source"},
		"time":                       {headers("ce-time", "yesterday"), "time"},
		"dataschema":                 {headers("ce-dataschema", "relative"), "dataschema"},
		"name with a hyphen":         {headers("ce-my-ext", "x"), "my-ext"},
		"name with an underscore":    {headers("ce-my_ext", "x"), "my_ext"},
		"no name":                    {headers("ce-", "x"), ""},
		"content type as attribute":  {headers("ce-datacontenttype", "text/plain"), "datacontenttype"},
		"data as attribute":          {headers("ce-data", "x"), "data"},
		"data_base64 as attribute":   {headers("ce-data_base64", "x"), "data_base64"},
		"content type":               {headers("Content-Type", "text"), "datacontenttype"},
		"content type twice":         {headers("Content-Type", "text/plain", "Content-Type", "text/plain"), "datacontenttype"},
		"too many":                   {headers(many...), "x" + strings.Repeat("a", 60)},
		"control character":          {headers("ce-ext", "%07"), "ext"},
		"the same in two spellings":  {http.Header{"Ce-Id": {"1"}, "CE-ID": {"1"}}, "id"},
		"nothing of an event at all": {http.Header{"Content-Type": {"text/plain"}}, "specversion"},
	} {
		_, err := events.DecodeBinary(c.header, []byte("x"))
		require.Error(t, err, name)
		assert.Equal(t, "event_invalid", fault.As(err).Code, name)
		assert.Equal(t, c.field, fault.As(err).Field, "%s: %v", name, err)
	}
	assert.True(t, events.IsBinary(headers()))
	assert.True(t, events.IsBinary(http.Header{"cE-x": nil}))
	assert.False(t, events.IsBinary(http.Header{"Content-Type": nil, "Ce": nil, "Cex-Id": nil}))
}

func TestBatchesAreSplit(t *testing.T) {
	for text, want := range map[string][]string{
		`[]`:                     {},
		" [ ] \n":                {},
		`[{"a":[1,2]},5, "x" ]`:  {`{"a":[1,2]}`, `5`, `"x"`},
		"[\"\xff\",null]":        {"\"\xff\"", "null"}, // for the one event to be refused
		`[` + event(``) + `,{}]`: {event(``), `{}`},
	} {
		got, err := events.SplitBatch([]byte(text), 3)
		require.NoError(t, err, text)
		require.Len(t, got, len(want), text)
		for i := range want {
			assert.Equal(t, want[i], string(got[i]))
		}
	}
	for _, text := range []string{``, ` `, `{}`, `null`, `[`, `[1`, `[1,`, `[1,]`, `[,1]`, `[1 2]`, `[1]]`, `[1] x`, `[{]`, `[tru]`, strings.Repeat("[", 200)} {
		_, err := events.SplitBatch([]byte(text), 3)
		require.Error(t, err, text)
		assert.Equal(t, "event_invalid", fault.As(err).Code)
	}
}

func TestABatchHasSoManyElements(t *testing.T) {
	_, err := events.SplitBatch([]byte(`[1,2,3,4]`), 3)
	assert.Equal(t, "batch_too_large", fault.As(err).Code)
	many := []byte("[" + strings.Repeat("1,", 500_000) + "1]")
	assert.Less(t, testing.AllocsPerRun(3, func() { _, _ = events.SplitBatch(many, 1000) }), 100.0)
}

func FuzzDecodeBinary(f *testing.F) {
	f.Add("1", "/s", "t", `"a%20b"`, "text/plain")
	f.Add("%", "\\", `"`, "%C0%A0", "a/b; c")
	f.Fuzz(func(t *testing.T, id, source, typ, subject, contentType string) {
		h := headers()
		h["Ce-Id"], h["Ce-Source"], h["Ce-Type"] = []string{id}, []string{source}, []string{typ}
		h["Ce-Subject"], h["Content-Type"] = []string{subject}, []string{contentType}
		ev, err := events.DecodeBinary(h, []byte("x"))
		if err == nil && (ev.ID() == "" || ev.Type() == "" || ev.Validate() != nil) {
			t.Fatalf("%v became %v", h, ev)
		}
	})
}

func FuzzSplitBatch(f *testing.F) {
	f.Add([]byte(`[{"specversion":"1.0"}, 5]`))
	f.Fuzz(func(_ *testing.T, b []byte) {
		parts, err := events.SplitBatch(b, 1000)
		if err != nil {
			return
		}
		for _, p := range parts {
			_, _ = events.DecodeForeign(p)
		}
	})
}
