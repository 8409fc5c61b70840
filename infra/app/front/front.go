package front

import (
	"context"
	"net/http"

	"levada.dev/api"
	"levada.dev/events/fault"
	"levada.dev/infra/app"
	"levada.dev/producers/batch"
	"levada.dev/producers/intake"
	"levada.dev/producers/replay"
	"levada.dev/producers/webhook"
	"levada.dev/tenants"
	"levada.dev/workflows/answer"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/rag"
	"levada.dev/workflows/safety"
	"levada.dev/workflows/tools"
	"levada.dev/workflows/tools/builtin"
	"levada.dev/workflows/tools/outside"
)

// API is the role that answers HTTP. The probes are what its health depends on.
func API(p app.Ports, o app.Options, probes ...api.Probe) http.Handler {
	gate := o.Gate(p)
	embedder := llm.NewPaidEmbedder(p.Embedder, gate)
	paid := llm.NewGenerator(p.Model, gate, &llm.Options{Replaced: func(ctx context.Context, s tenants.Scope, model string, err error) {
		o.Logger().WarnContext(ctx, "model replaced", "tenantId", s.Tenant(), "model", model, "code", fault.As(err).Code)
	}})
	generator := llm.NewCached(safety.NewGenerator(paid), p.Cache, &llm.CachedOptions{Background: o.Background})
	filter := safety.New(safety.Local{}, safety.NewGuard(paid), &safety.Options{Log: o.Log})
	retriever := rag.New(rag.Ports{
		Embedder: embedder, Vectors: p.Vectors, Lexicon: p.Lexicon, Ledger: p.Ledger,
		Reranker: llm.NewPaidReranker(p.Reranker, gate), Generator: generator,
	}, &rag.Options{Now: o.Now})
	cached := rag.NewCached(retriever, p.Ledger, p.Cache, &rag.CachedOptions{Background: o.Background, Now: o.Now})
	afford := func(ctx context.Context, s tenants.Scope, c *tenants.Config, bytes int) error {
		return api.Afford(ctx, gate, s, c.Models.Embedding, bytes)
	}
	door, home := batch.New(p.Parts, p.Imports, nil), app.Home(p)
	documents := intake.New(p.Texts, p.Ledger, nil)
	return api.New(api.Deps{
		Directory: p.Directory,
		Intake:    documents,
		Imports:   door,
		Problems:  p.Imports,
		Webhooks: webhook.New(webhook.Ports{
			Secrets: p.Secrets, Intake: documents, Catalogue: p.Catalogue, Imports: door, Witness: p.Witness, Draft: api.ReadDraft, Afford: afford,
		}, &webhook.Options{Now: o.Now}),
		Ledger:    p.Ledger,
		Catalogue: p.Catalogue,
		Erasures:  p.Erasures,
		Moves:     p.Moves,
		Transfers: p.Transfers,
		Turns:     p.Money,
		Seal:      p.Seal,
		Texts:     p.Texts,
		Vectors:   p.Vectors,
		Retriever: cached,
		Gate:      gate,
		Chat: chat.New(chat.Ports{Sessions: p.Sessions, Summaries: p.Summaries, Generator: generator, Retriever: retriever, Safety: filter},
			&chat.Options{Background: o.Background, Log: o.Log}),
		Sessions:  p.Sessions,
		Parcels:   p.Sessions,
		Shelf:     p.Shelf,
		Generator: generator,
		Answerer:  answer.New(generator, nil),
		Safety:    filter,
		Embedder:  embedder,
		Letters:   home,
		Replayer:  replay.New(home, home, p.Catalogue, nil),
		Trail:     p.Trail,
		Publisher: p.Publisher,
		Tools: box(p, o, builtin.Deps{
			Retriever: cached, Documents: documents, Embedder: embedder, Draft: api.ReadDraft, Afford: afford,
		}, filter),
		MCP:      p.MCP,
		Speech:   p.Speech,
		Booth:    p.Speech,
		Recorder: app.Recorder(p, gate), // in a room of its own: that of the role is for bodies that are read, and who reads gives its up soon
		Sounds:   p.Sounds,
		Meters:   p.Meters,
		Alerts:   p.Meters,
		Probes:   probes,
	}, &api.Options{Background: o.Background, Version: o.Version, VersionID: o.VersionID, Environment: api.Environment(o.Environment), Log: o.Log, Watch: o.Watch, Now: o.Now, MaxBodyBytes: o.MaxBodyBytes, SpeechFormats: o.SpeechFormats})
}

// box is the tools of the platform and of tenants, and who stands in front of them.
func box(p app.Ports, o app.Options, d builtin.Deps, filter *safety.Filter) tools.Box {
	registry, err := tools.New(builtin.All(d)...)
	if err != nil {
		panic(err) // a test of theirs says so first
	}
	own := func(*tenants.Config) []tools.Tool { return nil }
	if p.Outside != nil {
		own = outside.New(p.Outside, p.Secrets, &outside.Options{Private: app.Private(o.Environment), Now: o.Now, Log: o.Logger()}).Of
	}
	return tools.NewRunner(tools.Ports{Tools: registry, Calls: p.Calls, Records: p.Publisher}, &tools.Options{
		Own: own, Screen: filter.Arguments, Background: o.Background, Now: o.Now, Log: o.Logger(),
	})
}
