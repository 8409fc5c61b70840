package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"levada.dev/infra/dev"
	"levada.dev/infra/local"
	"levada.dev/infra/logbook"
	"levada.dev/infra/stack"
)

type devOptions struct {
	Root           string
	State          string
	Port           int
	Watch          bool
	WithParent     bool
	Stdout, Stderr io.Writer
}

func newDev(g *globals) *cobra.Command {
	var o devOptions
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run the whole platform here, offline",
		Long: "Builds the Workers and runs the platform on real workerd until it is stopped (Ctrl-C): no account, no network.\n" +
			"Everything is kept in the state folder, and the next start goes on with it. Edited source is built and loaded\n" +
			"at once, and edited tenants and secrets are published. Other commands find the platform by its state folder.\n\n" +
			"PORT and LEVADA_STATE set what --port and --state do.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			o.Stdout, o.Stderr = cmd.OutOrStdout(), cmd.ErrOrStderr()
			if o.Root, err = g.folder(); err != nil {
				return err
			}
			if !cmd.Flags().Changed("port") {
				if o.Port, err = portFromEnv(o.Port); err != nil {
					return err
				}
			}
			ctx := cmd.Context()
			if o.WithParent {
				var cancel context.CancelFunc
				ctx, cancel = withParent(ctx)
				defer cancel()
			}
			return o.run(ctx)
		},
	}
	cmd.Flags().IntVar(&o.Port, "port", defaultPort, "port on 127.0.0.1; 0 for a free one")
	cmd.Flags().StringVar(&o.State, "state", "", "folder that keeps everything (default .levada)")
	cmd.Flags().BoolVar(&o.Watch, "watch", true, "build and load source, and publish tenants and secrets, when they are edited")
	cmd.Flags().BoolVar(&o.WithParent, "with-parent", false, "stop when the process that started this one ends, too")
	return cmd
}

// defaultPort is where the platform answers unless somebody says otherwise.
const defaultPort = 8787

func portFromEnv(def int) (int, error) {
	v := os.Getenv("PORT")
	if v == "" {
		return def, nil
	}
	port, err := strconv.Atoi(v)
	if err != nil || port < 0 || port > 65535 {
		return 0, usagef("PORT=%s: not a port", v)
	}
	return port, nil
}

func (o *devOptions) run(ctx context.Context) (err error) {
	begun := time.Now()
	logs, err := o.openLog()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, logs.Close()) }()
	p, err := local.Start(ctx, local.Options{
		Root: o.Root, State: o.State, Port: o.Port, Version: "dev", Logs: logs,
		Progress: func(what string) { fmt.Fprintf(o.Stderr, "%5.1fs  %s\n", time.Since(begun).Seconds(), what) },
	})
	if err != nil {
		return err
	}
	defer p.Stop()
	withdraw, err := p.Announce()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, withdraw()) }()
	o.introduce(p, logs.Name())
	fmt.Fprintf(o.Stdout, "levada ready on %s\n", p.URL)

	if o.Watch {
		w, err := dev.Watch(ctx, p.Platform, o.Root, func(line string) { fmt.Fprintln(o.Stdout, line) })
		if err != nil {
			return err
		}
		defer w.Close()
		watched, unwatch := context.WithCancel(ctx)
		var watching sync.WaitGroup
		watching.Go(func() { p.Watch(watched, func(line string) { fmt.Fprintln(o.Stdout, line) }) })
		defer watching.Wait()
		defer unwatch()
	}
	select {
	case <-ctx.Done():
		fmt.Fprintln(o.Stderr, "stopping")
		return p.Stop()
	case <-p.Gone():
		return fmt.Errorf("workerd has ended by itself; see %s", logs.Name())
	}
}

// openLog is where the Workers log: what those of earlier starts have said is there, too.
func (o *devOptions) openLog() (*logbook.Book, error) {
	return logbook.Open(filepath.Join(local.StateDir(o.Root, o.State), logbook.Folder), nil)
}

// introduce prints what runs where, and the keys that were just made.
func (o *devOptions) introduce(p *local.Local, log string) {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.AppendHeader(table.Row{"what", "where", "stands for"})
	for _, w := range p.Stack.Workers {
		where := "workerd"
		if w.Role == stack.API {
			where = p.URL
		}
		t.AppendRow(table.Row{"Worker " + w.Role, where, "Cloudflare Workers"})
		if w.Assets != nil {
			t.AppendRow(table.Row{"console", p.URL + w.Assets.Path, "Workers static assets"})
		}
	}
	t.AppendSeparator()
	t.AppendRow(table.Row{fmt.Sprintf("%d queues", len(p.Stack.Queues)), "workerd, durable local broker", "Cloudflare Queues"})
	t.AppendRow(table.Row{"ledgers, audit trails", "workerd, SQLite", "Durable Objects"})
	t.AppendRow(table.Row{"configuration, texts", "workerd", "KV, R2"})
	t.AppendRow(table.Row{"models and the gateway's log", p.GatewayURL(), "Workers AI, AI Gateway"})
	t.AppendRow(table.Row{"vector index", p.VectorsURL(), "Vectorize"})
	fmt.Fprintln(o.Stdout, t.Render())

	keys := table.NewWriter()
	keys.SetStyle(table.StyleLight)
	keys.AppendHeader(table.Row{"tenant", "host", "key"})
	for _, c := range p.Tenants {
		key := "in " + filepath.Join(local.StateDir(o.Root, o.State), local.KeysFile)
		for _, made := range p.Made {
			if made == c.ID {
				key = p.Keys[c.ID] // printed once, when it is made
			}
		}
		if c.Auth.Mode == "open" {
			key += " (the door is open: none needed)"
		}
		host := ""
		if len(c.AllowedHosts) > 0 {
			host = c.AllowedHosts[0]
		}
		keys.AppendRow(table.Row{c.ID, host, key})
	}
	fmt.Fprintln(o.Stdout, keys.Render())
	fmt.Fprintf(o.Stdout, "secrets of sources, which sign webhooks: %s\n", filepath.Join(local.StateDir(o.Root, o.State), local.SecretsFile))
	fmt.Fprintf(o.Stdout, "The Workers log to %s; levada logs -f follows it\n", log)
}
