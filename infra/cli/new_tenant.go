package cli

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"levada.dev/events/fault"
	"levada.dev/infra/deploy/target"
	"levada.dev/infra/generate"
	"levada.dev/tenants"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/speech"
)

func newTenant(g *globals) *cobra.Command {
	var (
		t   generate.Tenant
		yes bool
	)
	o := &newOptions{globals: g}
	cmd := &cobra.Command{
		Use:   "tenant [ID]",
		Short: "Write a tenant's configuration",
		Long: "Writes tenants/<id>/tenant.config.json, after it was held against the schema and all other tenants. What no flag says is asked\n" +
			"for on a terminal, and left to the defaults elsewhere. A platform that levada dev runs serves the tenant at once.",
		Example: "  levada new tenant\n  levada new tenant initech --name 'Initech' --pool shared --host initech.localhost\n  levada new tenant initech --usd-per-month 100 --dry-run",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				t.ID = args[0]
			}
			if q := questions(cmd); q != nil && !yes {
				if err := q.tenant(cmd, &t); err != nil {
					return err
				}
			}
			if t.ID == "" {
				return usagef("nobody is there to be asked: name the tenant")
			}
			return o.run(cmd, func(opts generate.Options) (*generate.Plan, error) {
				if t.Name == "" {
					t.Name = t.ID
				}
				return generate.NewTenant(opts, t)
			})
		},
	}
	o.bind(cmd)
	f := cmd.Flags()
	f.BoolVar(&yes, "yes", false, "do not ask: what no flag says is left to the defaults")
	f.StringVar(&t.Name, "name", "", "the tenant's name for people (default its id)")
	f.StringVar(&t.Pool, "pool", "", "the deployment that serves it (default one of its own)")
	f.StringSliceVar(&t.Hosts, "host", nil, "host name under which it answers; may be repeated")
	f.StringVar(&t.Auth, "auth", string(tenants.AuthKeys), "how callers prove who they are: keys or open")
	f.StringSliceVar(&t.Origins, "origin", nil, "web origin that may call, such as https://app.example.com; may be repeated")
	f.StringVar(&t.Embedding, "embedding", "", "embedding model, such as @cf/baai/bge-m3")
	f.StringVar(&t.Chat, "chat", "", "chat model")
	f.StringSliceVar(&t.ChatAllowed, "chat-allowed", nil, "further chat model that requests may name; may be repeated")
	f.StringVar(&t.Speech, "speech", "", "model that speaks, such as @cf/deepgram/aura-1 (default: nobody does)")
	f.Int64Var(&t.TokensPerDay, "tokens-per-day", 0, "budget of tokens a day")
	f.Int64Var(&t.TokensPerMonth, "tokens-per-month", 0, "budget of tokens a month")
	f.Int64Var(&t.CharactersPerDay, "characters-per-day", 0, "budget of characters a day that are spoken")
	f.Int64Var(&t.CharactersPerMonth, "characters-per-month", 0, "budget of characters a month that are spoken")
	f.Int64Var(&t.USDPerDay, "usd-per-day", 0, "budget of US dollars a day")
	f.Int64Var(&t.USDPerMonth, "usd-per-month", 0, "budget of US dollars a month")
	f.StringSliceVar(&t.Deploy.Envs, "env", []string{target.Prod}, "environment where its pool is deployed, with --account; may be repeated")
	f.StringVar(&t.Deploy.Account, "account", "", "the Cloudflare account of its pool, 32 hexadecimal digits; for tenants/deploy.json")
	f.StringVar(&t.Deploy.Token, "token", "", "where the account's token is kept, such as env:CF_TOKEN_ACME; never the token itself")
	f.StringVar(&t.Deploy.Vault, "vault", "", "where the pool's secrets are kept, such as file:/run/secrets/acme.json")
	f.StringSliceVar(&t.Deploy.Domains, "domain", nil, "custom domain of its pool; may be repeated (default its workers.dev host)")
	return cmd
}

// asker asks questions, a line each.
type asker struct {
	in  *bufio.Reader
	out io.Writer
}

// questions is who can be asked; nil when nobody is there.
func questions(cmd *cobra.Command) *asker {
	in := cmd.InOrStdin()
	if f, ok := in.(*os.File); ok && !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return &asker{bufio.NewReader(in), cmd.ErrOrStderr()}
}

// ask asks for a value until the answer is one. An empty answer is the default.
func (a *asker) ask(question, def string, check func(string) error) (string, error) {
	for {
		if def != "" {
			fmt.Fprintf(a.out, "%s [%s]: ", question, def)
		} else {
			fmt.Fprintf(a.out, "%s: ", question)
		}
		line, err := a.in.ReadString('\n')
		if err != nil && (err != io.EOF || line == "") {
			return "", usagef("nothing was written: the questions ended without an answer")
		}
		answer := strings.TrimSpace(line)
		if answer == "" {
			answer = def
		}
		if check == nil {
			return answer, nil
		}
		if err := check(answer); err == nil {
			return answer, nil
		} else {
			fmt.Fprintf(a.out, "  %v\n", err)
		}
	}
}

// tenant asks for what no flag has said.
func (a *asker) tenant(cmd *cobra.Command, t *generate.Tenant) (err error) {
	open := func(flag string) bool { return !cmd.Flags().Changed(flag) }
	if t.ID == "" {
		if t.ID, err = a.ask("id (in keys, hosts and events)", "", func(s string) error { _, err := tenants.ParseID(s); return hinted(err) }); err != nil {
			return err
		}
	}
	type question struct {
		flag, text, def string
		into            *string
		check           func(string) error
	}
	for _, q := range []question{
		{"name", "name, for people", t.ID, &t.Name, nil},
		{"pool", "pool (empty: a deployment of its own)", "", &t.Pool, nil},
		{"auth", "callers need keys, or the door is open", t.Auth, &t.Auth, oneOfCheck([]string{string(tenants.AuthKeys), string(tenants.AuthOpen)})},
		{"embedding", "embedding model", tenants.DefaultEmbedding, &t.Embedding, oneOfCheck(llm.EmbeddingNames())},
		{"chat", "chat model", tenants.DefaultChat, &t.Chat, oneOfCheck(llm.GenerationNames(true))},
		{"speech", "model that speaks (empty: nobody does)", "", &t.Speech, orNone(oneOfCheck(slices.Sorted(maps.Keys(speech.Voices(true)))))},
	} {
		if !open(q.flag) {
			continue
		}
		if *q.into, err = a.ask(q.text, q.def, q.check); err != nil {
			return err
		}
	}
	if open("host") {
		hosts, err := a.ask("hosts, with spaces between", t.ID+".localhost", nil)
		if err != nil {
			return err
		}
		t.Hosts = strings.Fields(hosts)
	}
	return nil
}

// hinted is an error with the next step.
func hinted(err error) error {
	if err == nil {
		return nil
	}
	f := fault.As(err)
	return fmt.Errorf("%s (%s)", f.Message, f.Hint)
}

// orNone lets nothing pass, too.
func orNone(check func(string) error) func(string) error {
	return func(s string) error {
		if s == "" {
			return nil
		}
		return check(s)
	}
}

// oneOfCheck refuses what is none of a list.
func oneOfCheck(all []string) func(string) error {
	return func(s string) error {
		for _, one := range all {
			if one == s {
				return nil
			}
		}
		if best, ok := tenants.Closest(s, all); ok {
			return fmt.Errorf("%q is none of them (did you mean %q?)", s, best)
		}
		return fmt.Errorf("one of %s", strings.Join(all, ", "))
	}
}
