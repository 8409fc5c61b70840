package api_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"time"

	"levada.dev/api"
	"levada.dev/events"
	"levada.dev/events/eventstest"
	mcpline "levada.dev/infra/mcp/line"
	"levada.dev/infra/memory"
	"levada.dev/producers/batch"
	"levada.dev/producers/intake"
	"levada.dev/producers/replay"
	"levada.dev/producers/webhook"
	"levada.dev/tenants"
	"levada.dev/tenants/quota/quotatest"
	"levada.dev/tenants/seal"
	"levada.dev/workflows/answer"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/llm/llmtest"
	"levada.dev/workflows/rag"
	"levada.dev/workflows/safety"
	recording "levada.dev/workflows/speech/record"
	"levada.dev/workflows/tools"
)

func ExampleNew() {
	directory, err := tenants.StaticDirectory([]tenants.Config{{ID: "acme", Name: "Acme", AllowedHosts: []string{"acme.localhost"}}}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	ledger, texts, vectors := memory.NewLedger(time.Now), &memory.Texts{}, memory.NewVectors(time.Now)
	retriever := rag.New(rag.Ports{Embedder: &llmtest.Embedder{}, Vectors: vectors, Lexicon: memory.NewLexicon(), Ledger: ledger}, nil)
	shelf, gate := memory.NewShelf(time.Now), &quotatest.Gate{}
	sessions := memory.NewSessions(shelf, time.Now)
	box := memory.NewLetters(time.Now)
	desk, sounds, meters := memory.NewSpeech(time.Now), &memory.Sounds{}, memory.NewMeters(time.Now)
	handler := api.New(api.Deps{
		MCP:       mcpline.Line{},
		Directory: directory,
		Intake:    intake.New(texts, ledger, nil),
		Webhooks:  webhook.New(webhook.Ports{}, nil), // of a tenant without sources
		Imports:   batch.New(&memory.Parts{}, ledger, nil),
		Problems:  ledger,
		Ledger:    ledger,
		Catalogue: ledger,
		Erasures:  ledger,
		Moves:     ledger,
		Transfers: ledger,
		Seal:      seal.Key{}, // nothing is sealed without one
		Texts:     texts,
		Vectors:   vectors,
		Retriever: retriever,
		Gate:      gate,
		Chat:      chat.New(chat.Ports{Sessions: sessions, Summaries: sessions, Generator: llm.NewGenerator(&memory.Model{}, gate, nil), Retriever: retriever}, nil),
		Turns:     gate,
		Sessions:  sessions,
		Parcels:   sessions,
		Shelf:     shelf,
		Generator: llm.NewGenerator(&memory.Model{}, gate, nil),
		Answerer:  answer.New(llm.NewGenerator(&memory.Model{}, gate, nil), nil),
		Embedder:  llm.NewPaidEmbedder(&llmtest.Embedder{}, gate),
		Safety:    safety.New(safety.Local{}, nil, nil),
		Letters:   box,
		Replayer:  replay.New(box, box, ledger, nil),
		Trail:     &memory.Trail{},
		Publisher: events.NewPublisher(&eventstest.Sender{}, &eventstest.Claims{}, nil),
		Tools:     tools.NewRunner(tools.Ports{Tools: &tools.Registry{}, Calls: memory.NewCalls(time.Now)}, nil), // of tenants that have none
		Speech:    desk,
		Booth:     desk,
		Sounds:    sounds,
		Recorder:  recording.New(recording.Ports{Booth: desk, Sounds: sounds}), // of tenants without speech
		Meters:    meters,
		Alerts:    meters,
	}, &api.Options{Log: slog.New(slog.DiscardHandler)})

	rec := httptest.NewRecorder()
	handler.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "http://acme.localhost/jobs/1", nil))
	fmt.Println(rec.Code, rec.Header().Get("WWW-Authenticate"))
	// Output: 401 Bearer realm="levada"
}
