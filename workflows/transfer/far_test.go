package transfer_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/corpus/address"
	"levada.dev/workflows/transfer"
)

// far is acme at the source.
func (m *move) far() *transfer.Far {
	return transfer.NewFar(m.do, sourceAddress, m.from.keys["acme"], "acme")
}

func TestTextsComeByPages(t *testing.T) {
	m := newMove(t)
	want := map[string]int{"a": 3 << 20, "b": 3 << 20, "c": 5 << 20, "d": 1, "e": 2}
	for id, size := range want {
		m.from.put(m.acme, id, strings.Repeat("x", size), func(d *corpus.Draft) { d.MaxBytes = 0 })
	}
	m.asked = 0
	got := map[string]int{}
	err := m.far().Texts(t.Context(), []string{"a", "b", "nobody", "c", "d", "e", "doc-1"}, func(c transfer.Card, text []byte) error {
		got[c.DocID] = len(text)
		return nil
	})
	require.NoError(t, err)
	assert.Equal(t, want, got, "another tenant's document is none")
	assert.Equal(t, 4, m.asked, "a, b with what is not there, c, and the small ones")
}

// A document that changes between the list and its text comes as it is then; one that is deleted does not come.
func TestTheSourceChangesMeanwhile(t *testing.T) {
	m := newMove(t)
	for _, id := range []string{"a", "b", "c"} {
		m.from.put(m.acme, id, "The first of "+id)
	}
	m.goOn()
	once := true
	m.around = func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost && once {
				once = false
				m.from.put(m.acme, "a", "The second of a")
				m.from.delete(m.acme, "b")
			}
			h.ServeHTTP(w, r)
		})
	}
	m.bring(false)
	m.goOn()
	cards := m.to.cards(m.acme)
	require.Len(t, cards, 2)
	assert.Equal(t, corpus.Sum([]byte("The second of a")), cards[0].SHA256)
	m.arrived(t)
}

func TestPagesThatAreNotWhole(t *testing.T) {
	card := transfer.Card{DocID: "a", Bytes: 5, SHA256: corpus.Sum([]byte("hello"))}
	page := func(write func(w *transfer.Writer)) string {
		var b bytes.Buffer
		w := transfer.NewWriter(&b)
		write(w)
		require.NoError(t, w.Close(transfer.End{}))
		return b.String()
	}
	whole := page(func(w *transfer.Writer) {
		require.NoError(t, w.Document(card))
		require.NoError(t, w.Text([]byte("hello")))
	})
	read := func(s string) (n int, err error) {
		_, err = transfer.ReadPage(strings.NewReader(s), func(c transfer.Card, text []byte) error {
			n++
			assert.Equal(t, "hello", string(text))
			return nil
		})
		return n, err
	}
	n, err := read(whole)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	for cut := range len(whole) {
		if _, err := read(whole[:cut]); assert.Error(t, err, whole[:cut]) {
			assert.Equal(t, "source_torn", fault.As(err).Code)
			assert.True(t, fault.Retryable(err))
		}
	}
	for name, s := range map[string]string{
		"another text":             strings.Replace(whole, "aGVsbG8=", "aGVsbGE=", 1),
		"a longer text":            strings.Replace(whole, "aGVsbG8=", "aGVsbG8hISEh", 1),
		"more than there is room":  strings.Replace(whole, `"bytes":5`, `"bytes":5000000000`, 1),
		"no base64":                strings.Replace(whole, "aGVsbG8=", "!!!!!!!!", 1),
		"a text of nothing":        "{\"text\":\"aGVsbG8=\"}\n",
		"a line without an id":     "{\"document\":{}}\n{\"end\":true}\n",
		"a negative length":        strings.Replace(whole, `"bytes":5`, `"bytes":-5`, 1),
		"a line that does not end": strings.Repeat("x", 100_000),
		"an answer of an API":      `{"ok":true,"data":{}}` + "\n",
	} {
		_, err := read(s)
		assert.Equal(t, "source_torn", fault.As(err).Code, name)
	}
}

func TestWhereASourceMayBe(t *testing.T) {
	for raw, want := range map[string]string{
		"https://old.example.com":       "https://old.example.com",
		"https://old.example.com/":      "https://old.example.com",
		"https://old.example.com/api/":  "https://old.example.com/api",
		"http://old.example.com":        "",
		"https://old.example.com?x=1":   "",
		"https://u:p@old.example.com":   "",
		"https://127.0.0.1":             "",
		"https://169.254.169.254":       "",
		"https://localhost":             "",
		"ftp://old.example.com":         "",
		"old.example.com":               "",
		"":                              "",
		"https://old.example.com:6379/": "",
	} {
		got, err := transfer.Address(raw, address.Rules{})
		assert.Equal(t, want, got, raw)
		if assert.Equal(t, want == "", err != nil, raw); err != nil {
			assert.Equal(t, "from", fault.As(err).Field, raw)
		}
	}
	got, err := transfer.Address("http://127.0.0.1:8787", address.Rules{Private: true})
	require.NoError(t, err)
	assert.Equal(t, "http://127.0.0.1:8787", got)
}
