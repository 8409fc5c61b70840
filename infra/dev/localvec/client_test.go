package localvec

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// clock is a clock a test moves.
type clock struct{ now time.Time }

func newClock() *clock { return &clock{time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time { return c.now }

// client calls one index over the handler, as the JavaScript entrypoint does.
type client struct {
	testing.TB
	store *Store
	index string
}

// item is a vector as a caller sends it.
type item struct {
	id, namespace string
	metadata      any
	values        []float32
}

var small = Index{Dimensions: 2, Properties: map[string]Kind{"kind": String, "n": Number, "on": Boolean, "deep.er": String}}

func open(t testing.TB, dir string, options Options) client {
	if options.Indexes == nil {
		options.Indexes = map[string]Index{"docs": small}
	}
	s, err := Open(dir, options)
	require.NoError(t, err)
	return client{t, s, "docs"}
}

func (c client) do(method, path string, body []byte) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	c.store.ServeHTTP(w, httptest.NewRequest(method, path, bytes.NewReader(body)))
	return w
}

func (c client) call(operation string, header any, vectors ...[]float32) *httptest.ResponseRecorder {
	body, err := frame(header, vectors)
	require.NoError(c, err)
	return c.do(http.MethodPost, "/indexes/"+c.index+"/"+operation, body)
}

// write answers the mutation's id.
func (c client) write(operation string, items ...item) string {
	w := c.tryWrite(operation, items...)
	require.Equal(c, http.StatusOK, w.Code, w.Body)
	var answer struct{ MutationID string }
	require.NoError(c, json.Unmarshal(w.Body.Bytes(), &answer))
	require.NotEmpty(c, answer.MutationID)
	return answer.MutationID
}

func (c client) tryWrite(operation string, items ...item) *httptest.ResponseRecorder {
	heads, values := []any{}, [][]float32{}
	for _, i := range items {
		head := map[string]any{"id": i.id, "dimensions": len(i.values)}
		if i.namespace != "" {
			head["namespace"] = i.namespace
		}
		if i.metadata != nil {
			head["metadata"] = i.metadata
		}
		heads, values = append(heads, head), append(values, i.values)
	}
	return c.call(operation, map[string]any{"vectors": heads}, values...)
}

func (c client) remove(ids ...string) string {
	w := c.call("deleteByIds", map[string]any{"ids": ids})
	require.Equal(c, http.StatusOK, w.Code, w.Body)
	var answer struct{ MutationID string }
	require.NoError(c, json.Unmarshal(w.Body.Bytes(), &answer))
	return answer.MutationID
}

func (c client) query(vector []float32, options map[string]any) []Match {
	if options == nil {
		options = map[string]any{}
	}
	w := c.call("query", options, vector)
	require.Equal(c, http.StatusOK, w.Code, w.Body)
	var answer struct {
		Count   int
		Matches []Match
	}
	values := c.unframe(w.Body, &answer)
	require.Len(c, answer.Matches, answer.Count)
	if options["returnValues"] == true && answer.Count > 0 {
		n := len(values) / answer.Count
		for i := range answer.Matches {
			answer.Matches[i].values = values[i*n : (i+1)*n]
		}
	}
	return answer.Matches
}

// ids answers what a query finds, best first.
func (c client) ids(vector []float32, options map[string]any) []string {
	found := []string{}
	for _, m := range c.query(vector, options) {
		found = append(found, m.ID)
	}
	return found
}

func (c client) describe() Info {
	w := c.do(http.MethodGet, "/indexes/"+c.index, nil)
	require.Equal(c, http.StatusOK, w.Code, w.Body)
	var info Info
	require.NoError(c, json.Unmarshal(w.Body.Bytes(), &info))
	return info
}

func (c client) unframe(body io.Reader, header any) []float32 {
	raw, err := io.ReadAll(body)
	require.NoError(c, err)
	length := binary.LittleEndian.Uint32(raw)
	require.NoError(c, json.Unmarshal(raw[4:4+length], header))
	return readFloats(raw[4+length:])
}

// random answers n unit-less vectors, the same for every seed.
func random(seed uint64, n, dimensions int) [][]float32 {
	source := rand.New(rand.NewPCG(seed, 1))
	out := make([][]float32, n)
	for i := range out {
		out[i] = make([]float32, dimensions)
		for j := range out[i] {
			out[i][j] = float32(source.NormFloat64())
		}
	}
	return out
}
