// Command workflows is the entry point of the role that hosts the Workflow classes: Import, Erasure, Reembed, Transfer and Narrate. By its cron it also opens the imports of sources that are due.
package main

import (
	"context"
	"time"

	"levada.dev/infra/app"
	"levada.dev/infra/cloudflare/ai"
	"levada.dev/infra/cloudflare/isolate"
	"levada.dev/infra/cloudflare/kv"
	"levada.dev/infra/cloudflare/object"
	"levada.dev/infra/cloudflare/port"
	"levada.dev/infra/cloudflare/r2"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus/web"
	"levada.dev/workflows/lexicon/book"
)

func main() {
	log := port.Logs("workflows")
	meters := port.NewMeters(object.Open("METERS"))
	bucket := r2.Open("CORPUS")
	directory := tenants.NewDirectory(port.NewPublished(kv.Open("CONFIG")), nil)
	ledger := port.NewLedger(object.Open("LEDGER"))
	ports := app.Ports{
		Directory:   directory,
		Texts:       port.NewTexts(bucket),
		Ledger:      ledger,
		Imports:     ledger,
		Parts:       port.NewParts(bucket),
		Files:       port.NewFiles(bucket),
		Catalogue:   ledger,
		Erasures:    ledger,
		Moves:       ledger,
		Transfers:   ledger,
		Account:     port.NewQuota(object.Open("QUOTA")),
		Seal:        port.SealKey(),
		Money:       port.NewQuota(object.Open("QUOTA")),
		Embedder:    port.NewEmbedder(ai.Open("AI"), port.Var("GATEWAY", "levada")),
		Synthesizer: port.NewSynthesizer(ai.Open("AI"), port.Var("GATEWAY", "levada")),
		Bar:         port.NewQuota(object.Open("QUOTA")),
		Objects:     port.NewObjects(bucket),
		Cached:      port.NewCached(kv.Open("CACHE")),
		Vectors:     port.Indexes(),
		Lexicon:     port.NewLexicon(object.Open("LEXICON"), book.ShardsOf(directory)),
		Letters:     port.NewLetters(object.Open("LETTERS")),
		Calls:       port.NewCalls(object.Open("CALLS")),
		Speech:      port.NewSpeech(object.Open("SPEECH")),
		Sounds:      port.NewSounds(bucket),
		Meters:      meters,
		Sessions:    port.NewSessions(object.Open("SESSION")),
		Shelf:       port.NewShelf(object.Open("SHELF")),
		Fetcher:     web.New(isolate.Do, directory.Config, time.Now, &web.Options{Private: app.Private(port.Var("ENVIRONMENT", ""))}),
	}
	options := app.Options{Environment: port.Var("ENVIRONMENT", ""), Log: log, Watch: port.NewWatch("workflows", meters), Background: isolate.Go}
	port.RegisterFlow("Import", app.Import(ports, options), 0)
	settle, err := time.ParseDuration(port.Var("ERASURE_SETTLE", "0s"))
	if err != nil {
		panic(err)
	}
	port.RegisterFlow("Erasure", app.Erasure(ports, options, settle), 0)
	port.RegisterFlow("Reembed", app.Reembed(ports, options), 0)
	port.RegisterFlow("Transfer", app.Transfer(ports, options, isolate.Do, settle), 0)
	port.RegisterFlow("Narrate", app.Narrate(ports, options), 0)
	syncer := app.Syncer(directory, ports, options)
	isolate.HandleScheduled(func(ctx context.Context, _ string, at time.Time) error { return syncer.Sync(ctx, at) })
	isolate.Run()
}
