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
	Pages          int
	JSON           bool
	Stdout, Stderr io.Writer
}

// benchParts are what can be measured, in the order in which it is.
var benchParts = []string{"route", "gateway", "streams", "cold", "api", "ingest"}

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
			"  ingest   documents to searchable, against the embedder alone, and with the embedder stubbed",
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
	f.IntVar(&o.Documents, "documents", 2000, "documents of the ingest with the embedder stubbed")
	f.IntVar(&o.Pages, "pages", 80, "packages of the standard library for the ingest with the embedder; 0 for all")
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
		r, err := bench.Cold{Root: o.Root, Dir: dir, Stack: stack.Levada("local", nil), Times: o.Rounds, Progress: o.say}.Run(ctx)
		return r, bench.ColdTable(r), err
	case "api":
		r, err := bench.API{
			Root: o.Root, Dir: filepath.Join(dir, "platforms"), For: time.Duration(o.Seconds * float64(time.Second)), Clients: o.Clients, Progress: o.say,
		}.Run(ctx)
		return r, bench.APITable(r), err
	default:
		r, err := o.ingest(ctx, dir)
		return r, bench.IngestTable(r), err
	}
}

func (o *benchOptions) ingest(ctx context.Context, dir string) (map[string]bench.IngestResult, error) {
	goroot, err := demo.GoRoot(ctx)
	if err != nil {
		return nil, err
	}
	pages, err := demo.StandardLibrary(goroot, false)
	if err != nil {
		return nil, err
	}
	var real, small []string
	for _, p := range pages {
		real = append(real, string(p.Markdown))
	}
	if o.Pages > 0 {
		real = real[:min(o.Pages, len(real))]
	}
	for i := range o.Documents {
		p := pages[i%len(pages)]
		small = append(small, fmt.Sprintf("# Note %d on %s\n\n%s\n", i, p.Import, p.Synopsis))
	}
	state := filepath.Join(dir, "platforms")
	results := map[string]bench.IngestResult{}
	if results["real embedder"], err = (bench.Ingest{Root: o.Root, Dir: state, Texts: real, Clients: 16, Progress: o.say}).Run(ctx); err != nil {
		return nil, err
	}
	results["stubbed embedder"], err = (bench.Ingest{Root: o.Root, Dir: state, Texts: small, Clients: 32, Lexical: true, Progress: o.say}).Run(ctx)
	return results, err
}

func (o *benchOptions) say(what string) { fmt.Fprintln(o.Stderr, what) }
