package api_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"time"

	"levada.dev/api"
	"levada.dev/infra/memory"
	"levada.dev/producers/intake"
	"levada.dev/tenants"
	"levada.dev/workflows/llm/llmtest"
	"levada.dev/workflows/rag"
)

func ExampleNew() {
	directory, err := tenants.StaticDirectory([]tenants.Config{{ID: "acme", Name: "Acme", AllowedHosts: []string{"acme.localhost"}}}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	ledger, texts, vectors := memory.NewLedger(time.Now), &memory.Texts{}, memory.NewVectors(time.Now)
	handler := api.New(api.Deps{
		Directory: directory,
		Intake:    intake.New(texts, ledger, nil),
		Ledger:    ledger,
		Texts:     texts,
		Vectors:   vectors,
		Retriever: rag.New(&llmtest.Embedder{}, vectors, ledger, nil),
	}, &api.Options{Log: slog.New(slog.DiscardHandler)})

	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "http://acme.localhost/jobs/1", nil))
	fmt.Println(answer.Code, answer.Header().Get("WWW-Authenticate"))
	// Output: 401 Bearer realm="levada"
}
