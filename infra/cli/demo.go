package cli

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"levada.dev/infra/client"
	"levada.dev/infra/demo"
	"levada.dev/infra/local"
	"levada.dev/tenants"
)

type demoOptions struct {
	Root           string
	Platform       platformOptions
	Packages       int
	Full           bool
	Owner, Other   string
	Fewer          string
	Audio          string
	Questions      []string
	Stdout, Stderr io.Writer
}

func newDemo(g *globals) *cobra.Command {
	o := demoOptions{Questions: demo.Questions, Platform: platformOptions{globals: g}}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Ingest the standard library's documentation, ask it questions and talk about it",
		Long: "Reads the documentation of Go's standard library from the local Go installation, ingests it for one tenant,\n" +
			"asks questions, shows the passages found, and shows that another tenant finds none of them. It has tools run, and\n" +
			"verifies the audit trail that they are in. Then it talks about the documents in a session, each word as it\n" +
			"comes, has an answer spoken to a file, and shows what the tenant has used.\n" +
			"It uses the platform that runs on PORT (or --url), or starts one for as long as it takes.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			o.Stdout, o.Stderr = cmd.OutOrStdout(), cmd.ErrOrStderr()
			if o.Root, err = g.folder(); err != nil {
				return err
			}
			if o.Audio == "" {
				o.Audio = filepath.Join(local.StateDir(o.Root, o.Platform.State), "answer.wav")
			}
			return o.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Platform.URL, "url", "", "a running platform (default LEVADA_URL, else the one on PORT, else a new one)")
	f.StringVar(&o.Platform.State, "state", "", "the platform's state folder, where its keys are (default .levada)")
	f.IntVar(&o.Packages, "packages", 0, "how many packages; 0 for all")
	f.BoolVar(&o.Full, "full", false, "every exported symbol, not the packages' own text alone (many times as long)")
	f.StringVar(&o.Owner, "tenant", "demo", "whose documents they are")
	// acme has the same embedding model, so its vectors are in the same index and only its scope keeps them apart.
	f.StringVar(&o.Other, "other", "acme", "who must not find them")
	f.StringVar(&o.Fewer, "fewer", "globex", "who has fewer tools")
	f.StringVar(&o.Audio, "audio", "", "the file that an answer is spoken to (default answer.wav in the state folder)")
	f.StringArrayVar(&o.Questions, "ask", o.Questions, "a question; may be repeated")
	return cmd
}

func (o *demoOptions) run(ctx context.Context) error {
	pages, err := o.pages(ctx)
	if err != nil {
		return err
	}
	url, keys, stop, err := o.platform(ctx)
	if err != nil {
		return err
	}
	defer stop()
	fmt.Fprintf(o.Stdout, "%d packages of Go's standard library for tenant %s, on %s\n", len(pages), o.Owner, url)
	return demo.Show{
		Owner: client.New(url, keys[tenants.ID(o.Owner)], &client.Options{Tenant: o.Owner}),
		Other: client.New(url, keys[tenants.ID(o.Other)], &client.Options{Tenant: o.Other}),
		Fewer: client.New(url, keys[tenants.ID(o.Fewer)], &client.Options{Tenant: o.Fewer}),
		Pages: pages, Questions: o.Questions, Conversation: demo.Conversation, Audio: o.Audio, Out: o.Stdout, Bar: o.Stderr,
	}.Run(ctx)
}

func (o *demoOptions) pages(ctx context.Context) ([]demo.Page, error) {
	goroot, err := demo.GoRoot(ctx)
	if err != nil {
		return nil, err
	}
	pages, err := demo.StandardLibrary(goroot, !o.Full)
	if err != nil {
		return nil, err
	}
	if o.Packages > 0 {
		pages = pages[:min(o.Packages, len(pages))]
	}
	return pages, nil
}

// platform is the one that runs, or one started for the demo.
func (o *demoOptions) platform(ctx context.Context) (url string, keys tenants.Keys, stop func() error, err error) {
	at, err := o.Platform.url()
	if err != nil {
		return "", nil, nil, err
	}
	url = at.String()
	probe, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	switch err := client.New(url, "", nil).Health(probe); {
	case err == nil:
		keys, _, err = o.Platform.localKeys()
		return url, keys, func() error { return nil }, err
	case o.Platform.named():
		return "", nil, nil, o.Platform.advised(err)
	}
	fmt.Fprintln(o.Stderr, "no platform runs: starting one")
	port, err := portFromEnv(defaultPort)
	if err != nil {
		return "", nil, nil, err
	}
	p, err := local.Start(ctx, local.Options{
		Root: o.Root, State: o.Platform.State, Port: port, Version: "demo",
		Progress: func(what string) { fmt.Fprintln(o.Stderr, "  "+what) },
	})
	if err != nil {
		return "", nil, nil, err
	}
	return p.URL, p.Keys, p.Stop, nil
}
