package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"levada.dev/infra/bench"
	"levada.dev/infra/demo"
	"levada.dev/infra/stack"
)

type benchOptions struct {
	Root           string
	Parts          []string
	Rounds         int
	Seconds        float64
	Clients        int
	Documents      int
	Samples        int
	Pages          int
	JSON           bool
	Stdout, Stderr io.Writer
}

// benchParts are what can be measured, in the order in which it is.
var benchParts = []string{"route", "gateway", "streams", "cold", "api", "ingest", "beside", "memory", "lexicon", "search", "speech", "metering"}

func newBench(g *globals) *cobra.Command {
	var o benchOptions
	cmd := &cobra.Command{
		Use:   "bench [" + strings.Join(benchParts, "|") + "]...",
		Short: "Measure the platform side by side with what else there is",
		Long: "Measures in one run and prints ratios, because absolute figures depend on the machine:\n" +
			"  route    a small request on this runtime, on the stock syumai glue, and on TypeScript (Hono)\n" +
			"  gateway  a chat completion on this platform with everything on, and on gateways that do less and less\n" +
			"  streams  100 event streams at once on one isolate\n" +
			"  cold     each role: size, and a fresh process to its first answer\n" +
			"  api      what each route of the API costs the platform\n" +
			"  ingest   documents to searchable: against the embedder alone; one by one and as imports with the embedder stubbed\n" +
			"  beside   one document while another tenant has a backlog, against the idle platform\n" +
			"  memory   documents of 10 MB of each format: how much of their memory the instances take\n" +
			"  lexicon  a question to the lexical index at 1,000, 10,000 and 100,000 passages\n" +
			"  search   a whole search of 1,000, 10,000 and 100,000 chunks with the embedder stubbed, anew and from the cache\n" +
			"  speech   texts spoken as jobs, as streams and as a narration, against the voice alone\n" +
			"  metering what it costs that requests are counted and traced, against a platform that counts nothing (target: under 3 %)",
		ValidArgs: benchParts,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			o.Stdout, o.Stderr, o.Parts = cmd.OutOrStdout(), cmd.ErrOrStderr(), args
			if len(args) == 0 {
				o.Parts = benchParts
			}
			for _, part := range args {
				if !slices.Contains(benchParts, part) {
					return usagef("%q is none of %s", part, strings.Join(benchParts, ", "))
				}
			}
			if o.Root, err = g.folder(); err != nil {
				return err
			}
			return o.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.Rounds, "rounds", 4, "rounds of each load and each cold start")
	f.Float64Var(&o.Seconds, "seconds", 1.5, "how long one load lasts")
	f.IntVar(&o.Clients, "clients", 32, "clients of a load")
	f.IntVar(&o.Documents, "documents", 20_000, "documents of a large import; a small one has a twentieth of them")
	f.IntVar(&o.Samples, "samples", 20, "documents that are timed beside another tenant's backlog")
	f.IntVar(&o.Pages, "pages", 80, "packages of the standard library for the ingest with the embedder; 0 leaves that out")
	f.BoolVar(&o.JSON, "json", false, "print JSON")
	return cmd
}

func (o *benchOptions) run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "levada-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	all := map[string]any{}
	for _, part := range o.Parts {
		result, text, err := o.part(ctx, part, dir)
		if err != nil {
			return fmt.Errorf("%s: %w", part, err)
		}
		all[part] = result
		if !o.JSON {
			fmt.Fprintf(o.Stdout, "%s\n\n", text)
		}
	}
	if o.JSON {
		return printJSON(o.Stdout, all)
	}
	fmt.Fprintf(o.Stdout, "%s, %d processors, the load generator on the same machine; best of %d rounds\n", runtime.Version(), runtime.NumCPU(), o.Rounds)
	return nil
}

func (o *benchOptions) part(ctx context.Context, part, dir string) (result any, text string, err error) {
	switch part {
	case "route":
		r, err := bench.Routes{
			Root: o.Root, Dir: dir, Rounds: o.Rounds, For: time.Duration(o.Seconds * float64(time.Second)), Clients: o.Clients, Progress: o.say,
		}.Run(ctx)
		if err != nil {
			return nil, "", err
		}
		return r, bench.RouteTable(r), nil
	case "gateway":
		r, err := bench.Gateway{
			Root: o.Root, Rounds: o.Rounds, For: time.Duration(o.Seconds * float64(time.Second)), Clients: o.Clients, Progress: o.say,
		}.Run(ctx)
		if err != nil {
			return nil, "", err
		}
		return r, bench.GatewayTable(r), nil
	case "streams":
		s := bench.Streams{Root: o.Root, Dir: dir, Count: 100, Events: 50, Pause: 40}
		o.say("100 streams at once")
		r, err := s.Run(ctx)
		return r, bench.StreamTable(s, r), err
	case "cold":
		r, err := bench.Cold{Root: o.Root, Dir: dir, Stack: stack.Levada(stack.Pool{Name: "local"}), Times: o.Rounds, Progress: o.say}.Run(ctx)
		return r, bench.ColdTable(r), err
	case "api":
		r, err := bench.API{
			Root: o.Root, Dir: filepath.Join(dir, "platforms"), For: time.Duration(o.Seconds * float64(time.Second)), Clients: o.Clients, Progress: o.say,
		}.Run(ctx)
		return r, bench.APITable(r), err
	case "ingest":
		return o.ingest(ctx, filepath.Join(dir, "platforms"))
	case "beside":
		return o.beside(ctx, filepath.Join(dir, "platforms"))
	case "lexicon":
		r, err := bench.Lexicon{
			Root: o.Root, Dir: filepath.Join(dir, "lexicon"), Sizes: []int{1_000, 10_000, 100_000}, Questions: 400, Progress: o.say,
		}.Run(ctx)
		return r, bench.LexiconTable(r), err
	case "search":
		r, err := bench.Search{
			Root: o.Root, Dir: filepath.Join(dir, "platforms"), Sizes: []int{1_000, 10_000, 100_000}, Questions: 200, Progress: o.say,
		}.Run(ctx)
		return r, bench.SearchTable(r), err
	case "speech":
		_, lines, err := library(ctx)
		if err != nil {
			return nil, "", err
		}
		r, err := bench.Speech{
			Root: o.Root, Dir: filepath.Join(dir, "platforms"), Lines: lines, Jobs: 200, Streams: 20, Long: 20_000, Progress: o.say,
		}.Run(ctx)
		return r, bench.SpeechTable(r), err
	case "metering":
		r, err := bench.Metering{
			Root: o.Root, Dir: filepath.Join(dir, "platforms"), Rounds: o.Rounds, For: time.Duration(o.Seconds * float64(time.Second)), Clients: o.Clients, Progress: o.say,
		}.Run(ctx)
		return r, bench.MeteringTable(r), err
	default:
		const large = 10_000_000
		r, err := bench.Memory{Root: o.Root, Dir: filepath.Join(dir, "platforms"), Bytes: large, Progress: o.say}.Run(ctx)
		return r, bench.MemoryTable(large, r), err
	}
}

// ingestResult is what JSON has of the ingest.
type ingestResult struct {
	Embedder *bench.IngestResult    `json:"embedder,omitempty"` // absent where no pages were asked for
	Pipeline []bench.PipelineResult `json:"pipeline"`
}

func (o *benchOptions) ingest(ctx context.Context, dir string) (result any, text string, err error) {
	pages, words, err := library(ctx)
	if err != nil {
		return nil, "", err
	}
	var r ingestResult
	if o.Pages > 0 {
		e, err := bench.Ingest{Root: o.Root, Dir: dir, Texts: pages[:min(o.Pages, len(pages))], Clients: 16, Progress: o.say}.Run(ctx)
		if err != nil {
			return nil, "", err
		}
		r.Embedder, text = &e, e.Table()+"\n"
	}
	r.Pipeline, err = bench.Pipeline{
		Root: o.Root, Dir: dir, Few: max(1, o.Documents/20), Many: o.Documents, Rounds: o.Rounds, Clients: o.Clients, Words: words, Progress: o.say,
	}.Run(ctx)
	if err != nil {
		return nil, "", err
	}
	return r, text + bench.PipelineTable(r.Pipeline), nil
}

func (o *benchOptions) beside(ctx context.Context, dir string) (result any, text string, err error) {
	_, words, err := library(ctx)
	if err != nil {
		return nil, "", err
	}
	var results []bench.BesideResult
	for _, lexical := range []bool{true, false} {
		r, err := bench.Beside{
			Root: o.Root, Dir: dir, Lexical: lexical, Backlog: o.Documents, Samples: o.Samples, Words: words, Progress: o.say,
		}.Run(ctx)
		if err != nil {
			return nil, "", err
		}
		results = append(results, r)
	}
	return results, bench.BesideTable(results), nil
}

// library is the standard library's documentation: whole pages, and a line about each package.
func library(ctx context.Context) (pages, lines []string, err error) {
	goroot, err := demo.GoRoot(ctx)
	if err != nil {
		return nil, nil, err
	}
	all, err := demo.StandardLibrary(goroot, false)
	if err != nil {
		return nil, nil, err
	}
	for _, p := range all {
		pages, lines = append(pages, string(p.Markdown)), append(lines, p.Import+" "+p.Synopsis)
	}
	return pages, lines, nil
}

func (o *benchOptions) say(what string) { fmt.Fprintln(o.Stderr, what) }
