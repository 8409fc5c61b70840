// Command consumers is the entry point of the role that reacts to the queues: fetch, chunk, embed, index, speak, notify, audit, and what
// their dead-letter queues hold.
package main

import (
	"context"
	"time"

	"levada.dev/consumers"
	"levada.dev/events"
	"levada.dev/infra/app"
	"levada.dev/infra/cloudflare/ai"
	"levada.dev/infra/cloudflare/isolate"
	"levada.dev/infra/cloudflare/kv"
	"levada.dev/infra/cloudflare/object"
	"levada.dev/infra/cloudflare/port"
	"levada.dev/infra/cloudflare/queue"
	"levada.dev/infra/cloudflare/r2"
	"levada.dev/infra/cloudflare/workflow"
	"levada.dev/infra/stack"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus/web"
	"levada.dev/workflows/erasure"
	"levada.dev/workflows/flow"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/lexicon/book"
	"levada.dev/workflows/reembed"
	"levada.dev/workflows/speech/narrate"
	"levada.dev/workflows/transfer"
)

func main() {
	table := stack.Levada(stack.Pool{})
	bucket := r2.Open("CORPUS")
	claims := port.NewClaims(bucket)
	published, environment := port.NewPublished(kv.Open("CONFIG")), port.Var("ENVIRONMENT", "")
	directory := tenants.NewDirectory(published, nil)
	log := port.Logs("consumers")
	meters := port.NewMeters(object.Open("METERS"))
	router := app.Consumers(app.Ports{
		Directory:   directory,
		Secrets:     tenants.NewSecrets(published, port.SealKey(), nil),
		Outside:     isolate.Do,
		Fetcher:     web.New(isolate.Do, directory.Config, time.Now, &web.Options{Private: app.Private(environment)}),
		Money:       port.NewQuota(object.Open("QUOTA")),
		Texts:       port.NewTexts(bucket),
		Ledger:      port.NewLedger(object.Open("LEDGER")),
		Vectors:     port.Indexes(),
		Lexicon:     port.NewLexicon(object.Open("LEXICON"), book.ShardsOf(directory)),
		Embedder:    port.NewEmbedder(ai.Open("AI"), port.Var("GATEWAY", "levada")),
		Synthesizer: port.NewSynthesizer(ai.Open("AI"), port.Var("GATEWAY", "levada")),
		Speech:      port.NewSpeech(object.Open("SPEECH")),
		Sounds:      port.NewSounds(bucket),
		Meters:      meters,
		Publisher:   events.NewPublisher(port.Queues(), claims, nil),
		Claims:      claims,
		Trail:       port.NewTrail(object.Open("AUDIT")),
		Letters:     port.NewLetters(object.Open("LETTERS")),
		Unread:      port.NewUnread(bucket),
		Runs: port.NewRuns(map[flow.Kind]workflow.Workflow{
			imports.Kind: workflow.Open("IMPORT"), erasure.Kind: workflow.Open("ERASURE"), reembed.Kind: workflow.Open("REEMBED"), transfer.Kind: workflow.Open("TRANSFER"),
			narrate.Kind: workflow.Open("NARRATE"),
		}),
	}, app.Options{Environment: environment, Log: log, Watch: port.NewWatch("consumers", meters), MaxAttempts: table.Attempts(), Background: isolate.Go})
	queue.Consume(func(ctx context.Context, b *queue.Batch) { consume(ctx, router, b) })
	isolate.Run()
}

// consume does what the router says of each message.
func consume(ctx context.Context, router *consumers.Router, b *queue.Batch) {
	ms := make([]consumers.Message, len(b.Messages))
	for i, m := range b.Messages {
		ms[i] = consumers.Message{ID: m.ID, Body: m.Body, Attempts: m.Attempts}
	}
	stage, dead := app.Stage(b.Queue)
	handle := router.Handle
	if dead {
		handle = router.HandleDead
	}
	for i, v := range handle(ctx, stage, ms) {
		if v.Outcome == consumers.Retry {
			b.Messages[i].Retry(v.Delay)
			continue
		}
		b.Messages[i].Ack()
	}
}
