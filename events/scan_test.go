package events

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// A string is scanned eight bytes at a time, so what ends it or is wrong in it stands at every place of the eight.
func TestTextAtEveryOffset(t *testing.T) {
	for before := range 20 {
		for after := range 20 {
			for _, middle := range []string{"", `\n`, `\"`, `\\`, `\u0041`, "\x7f", "ä", "\U0001F600", "\x00", "\x1f", `\x`, `\u12`, `"`, "\n", `\`} {
				text := `"` + strings.Repeat("x", before) + middle + strings.Repeat("y", after) + `"`
				s := &scanner{b: []byte(text)}
				_, err := s.value(1)
				if err == nil {
					err = s.end()
				}
				require.Equal(t, json.Valid([]byte(text)), err == nil, "%q: %v", text, err)
			}
		}
	}
}

// FuzzScanner compares the scanner with encoding/json, which is as strict about everything but depth and UTF-8.
func FuzzScanner(f *testing.F) {
	for _, text := range []string{`{"a":[1,-2.5e+3,true,false,null,"x\u00e4\\"]}`, ` [ ] `, `"\ud800"`, `01`, `[1,]`, "\"\x01\"", `{"a" 1}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if !utf8.Valid(b) || strings.Count(string(b), "[")+strings.Count(string(b), "{") > maxDepth/2 {
			return
		}
		s := &scanner{b: b}
		_, err := s.value(1)
		if err == nil {
			err = s.end()
		}
		if json.Valid(b) != (err == nil) {
			t.Fatalf("%q: %v", b, err)
		}
	})
}

func FuzzUnescape(f *testing.F) {
	f.Add(`a\u00e4\ud83d\ude00\n\/`)
	f.Add(`\ud800\u0041`)
	f.Fuzz(func(t *testing.T, raw string) {
		quoted := `"` + raw + `"`
		if !utf8.ValidString(raw) || !json.Valid([]byte(quoted)) {
			return
		}
		got, err := unescape([]byte(raw))
		var want string
		require.NoError(t, json.Unmarshal([]byte(quoted), &want))
		if err != nil {
			require.Contains(t, want, "\ufffd", "only lone surrogates are refused")
			return
		}
		require.Equal(t, want, got)
	})
}

func ExampleDecode() {
	e, err := Decode([]byte(`{"specversion":"1.0","id":"1","source":"/tenants/acme/api","type":"dev.levada.document.indexed.v1",
		"subject":"documents/guide.md","time":"2026-11-22T12:00:00Z","tenantid":"acme",
		"data":{"docId":"guide.md","generation":3,"jobId":"j","chunks":18,"model":"@cf/baai/bge-m3"}}`))
	if err != nil {
		panic(err)
	}
	var fact DocumentIndexed
	if err := e.As(&fact); err != nil {
		panic(err)
	}
	fmt.Println(e.Tenant, fact.DocID, fact.Chunks)

	_, err = Decode([]byte(`{"specversion":"1.0","id":"1","source":"/s","type":"t","data_base64":5}`))
	fmt.Println(err)
	// Output:
	// acme guide.md 18
	// event_invalid at data_base64: must be a string
}
