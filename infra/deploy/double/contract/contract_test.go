package contract_test

import (
	"bytes"
	_ "embed"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy/double/contract"
)

//go:embed testdata/openapi.json
var document []byte

// form is an upload whose metadata has no content type, as wrangler's.
func form(t *testing.T, metadata string) (contentType, body string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if metadata != "" {
		require.NoError(t, w.WriteField("metadata", metadata))
	}
	part, err := w.CreateFormFile("index.mjs", "index.mjs")
	require.NoError(t, err)
	_, err = io.WriteString(part, "export default {}")
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return w.FormDataContentType(), b.String()
}

func TestWhatIsFound(t *testing.T) {
	const queues, script = "/client/v4/accounts/a/queues", "/client/v4/accounts/a/workers/scripts/api"
	upload, worker := form(t, `{"main_module": "index.mjs", "bindings": [{"name": "A", "type": "ai"}]}`)
	unnamed, nameless := form(t, `{"main_module": "index.mjs", "bindings": [{"type": "ai"}]}`)
	bare, alone := form(t, "")
	for name, c := range map[string]struct {
		method, path, contentType, body string
		status                          int
		answer                          string
		fault                           string // words; none is as the document says
		unknown                         bool
	}{
		"a list":                   {"GET", queues, "", "", 200, `{"result": [{"queue_id": "1"}]}`, "", false},
		"a list that is none":      {"GET", queues, "", "", 200, `{"result": {}}`, "the answer", false},
		"a queue without its id":   {"GET", queues, "", "", 200, `{"result": [{}]}`, "queue_id", false},
		"a new queue":              {"POST", queues, "application/json", `{"queue_name": "jobs"}`, 200, `{"result": {"queue_id": "1"}}`, "", false},
		"a queue without a name":   {"POST", queues, "application/json", `{"name": "jobs"}`, 200, `{"result": {"queue_id": "1"}}`, "queue_name", false},
		"that, refused":            {"POST", queues, "application/json", `{"name": "jobs"}`, 400, `{"errors": [{}]}`, "", false},
		"a refusal without errors": {"POST", queues, "application/json", `{"name": "jobs"}`, 400, `{"errors": []}`, "minimum number of items", false},
		"a Worker":                 {"PUT", script, upload, worker, 200, `{"success": true}`, "", false},
		"a binding without a name": {"PUT", script, unnamed, nameless, 200, `{"success": true}`, "name", false},
		"no metadata":              {"PUT", script, bare, alone, 200, `{"success": true}`, "metadata", false},
		"something else":           {"DELETE", queues, "", "", 200, `{}`, "", true},
		"somewhere else":           {"GET", "/client/v4/accounts/a/secrets", "", "", 200, `{}`, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			judge, err := contract.New(document, "/client/v4")
			require.NoError(t, err)
			got := ""
			handler := judge.Hold(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				b, _ := io.ReadAll(r.Body)
				got = string(b)
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.answer)
			}))
			r := httptest.NewRequestWithContext(t.Context(), c.method, c.path, strings.NewReader(c.body))
			r.Header.Set("Content-Type", c.contentType)
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			assert.Equal(t, c.body, got, "the handler has the whole request")
			assert.Equal(t, c.status, w.Code)
			assert.Equal(t, c.answer, w.Body.String())

			faults, unknown, held := judge.Found()
			assert.Equal(t, c.unknown, len(unknown) == 1)
			assert.Equal(t, !c.unknown, held == 1)
			if c.fault == "" {
				assert.Empty(t, faults)
			} else if assert.Len(t, faults, 1) {
				assert.Contains(t, faults[0], c.fault)
			}
		})
	}
}

func TestADocumentIsRead(t *testing.T) {
	_, err := contract.New([]byte(`{"openapi": 5}`), "")
	assert.ErrorContains(t, err, contract.Env)
	assert.NotNil(t, contract.Held(t, http.NotFoundHandler()), "with a document and without")
}
