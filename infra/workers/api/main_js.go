// Command api is the entry point of the role that answers HTTP: the contract of api/openapi.yaml.
package main

import (
	"cmp"
	"context"
	"strings"

	"levada.dev/api"
	"levada.dev/events"
	"levada.dev/infra/app"
	"levada.dev/infra/app/front"
	"levada.dev/infra/cloudflare/ai"
	"levada.dev/infra/cloudflare/isolate"
	"levada.dev/infra/cloudflare/kv"
	"levada.dev/infra/cloudflare/object"
	"levada.dev/infra/cloudflare/port"
	"levada.dev/infra/cloudflare/r2"
	"levada.dev/infra/cloudflare/service"
	"levada.dev/infra/mcp/line"
	"levada.dev/infra/stack"
	"levada.dev/tenants"
	"levada.dev/workflows/lexicon/book"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/speech/audio"
)

func main() {
	published := port.NewPublished(kv.Open("CONFIG"))
	vectors := port.Indexes()
	directory := tenants.NewDirectory(published, nil)
	models, gateway := ai.Open("AI"), port.Var("GATEWAY", "levada")
	sessions := port.NewSessions(object.Open("SESSION"))
	ledger := port.NewLedger(object.Open("LEDGER"))
	versionID, release := port.Deployed()
	log := port.Logs("api")
	meters := port.NewMeters(object.Open("METERS"))
	isolate.HandleHTTP(front.API(app.Ports{
		Directory:   directory,
		Secrets:     tenants.NewSecrets(published, port.SealKey(), nil),
		Texts:       port.NewTexts(r2.Open("CORPUS")),
		Ledger:      ledger,
		Catalogue:   ledger,
		Imports:     ledger,
		Erasures:    ledger,
		Moves:       ledger,
		Transfers:   ledger,
		Seal:        port.SealKey(),
		Parts:       port.NewParts(r2.Open("CORPUS")),
		Witness:     ledger,
		Vectors:     vectors,
		Lexicon:     port.NewLexicon(object.Open("LEXICON"), book.ShardsOf(directory)),
		Embedder:    port.NewEmbedder(models, gateway),
		Reranker:    port.NewReranker(models, gateway),
		Synthesizer: port.NewSynthesizer(models, gateway),
		Model:       port.NewModel(models, gateway),
		Money:       port.NewQuota(object.Open("QUOTA")),
		Sessions:    sessions,
		Summaries:   sessions,
		Shelf:       port.NewShelf(object.Open("SHELF")),
		Letters:     port.NewLetters(object.Open("LETTERS")),
		Unread:      port.NewUnread(r2.Open("CORPUS")),
		Trail:       port.NewTrail(object.Open("AUDIT")),
		Publisher:   events.NewPublisher(port.Audit(), port.NewClaims(r2.Open("CORPUS")), nil),
		Calls:       port.NewCalls(object.Open("CALLS")),
		Outside:     isolate.Do,
		MCP:         line.Line{Do: service.Open(stack.MCPBinding).Do},
		Cache:       port.NewCache(kv.Open("CACHE")),
		Speech:      port.NewSpeech(object.Open("SPEECH")),
		Sounds:      port.NewSounds(r2.Open("CORPUS")),
		Meters:      meters,
	}, app.Options{
		Version:     cmp.Or(release, port.Var("VERSION", "dev")),
		VersionID:   versionID,
		Environment: port.Var("ENVIRONMENT", "dev"),
		Log:         log,
		Watch:       port.NewWatch("api", meters),

		MaxBodyBytes:  tenants.MaxBodyBytes,
		SpeechFormats: formats(port.Var("SPEECH_FORMATS", "")),
		Background:    isolate.Go,
	}, probes(published, vectors)...))
	isolate.Run()
}

// formats are those in a list such as "wav,mp3"; nil for an empty one, which says nothing.
func formats(list string) []audio.Format {
	var all []audio.Format
	for name := range strings.SplitSeq(list, ",") {
		if name != "" {
			all = append(all, audio.Format(name))
		}
	}
	return all
}

// probes ask each binding the cheapest question that it must be able to answer. Models are not asked: their cheapest
// answer costs money.
func probes(published port.Published, vectors port.Vectors) []api.Probe {
	return []api.Probe{
		{Name: "config", Check: func(ctx context.Context) error { return published.Ping(ctx) }},
		{Name: "corpus", Check: func(ctx context.Context) error { return port.NewTexts(r2.Open("CORPUS")).Ping(ctx) }},
		{Name: "ledger", Check: func(ctx context.Context) error { return port.PingObjects(ctx, object.Open("LEDGER")) }},
		{Name: "quota", Check: func(ctx context.Context) error { return port.PingObjects(ctx, object.Open("QUOTA")) }},
		{Name: "audit", Check: func(ctx context.Context) error { return port.PingObjects(ctx, object.Open("AUDIT")) }},
		{Name: "letters", Check: func(ctx context.Context) error { return port.PingObjects(ctx, object.Open("LETTERS")) }},
		{Name: "calls", Check: func(ctx context.Context) error { return port.PingObjects(ctx, object.Open("CALLS")) }},
		{Name: "lexicon", Check: func(ctx context.Context) error { return port.PingObjects(ctx, object.Open("LEXICON")) }},
		{Name: "sessions", Check: func(ctx context.Context) error { return port.PingObjects(ctx, object.Open("SESSION")) }},
		{Name: "speech", Check: func(ctx context.Context) error { return port.PingObjects(ctx, object.Open("SPEECH")) }},
		{Name: "meters", Check: func(ctx context.Context) error { return port.PingObjects(ctx, object.Open("METERS")) }},
		{Name: "shelf", Check: func(ctx context.Context) error { return port.PingObjects(ctx, object.Open("SHELF")) }},
		{Name: "vectors", Check: func(ctx context.Context) error {
			for _, model := range llm.EmbeddingNames() {
				if _, err := vectors.Processed(ctx, model); err != nil {
					return err
				}
			}
			return nil
		}},
	}
}
