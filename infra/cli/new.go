package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"levada.dev/infra/generate"
)

// newOptions is what every levada new has.
type newOptions struct {
	globals        *globals
	DryRun, JSON   bool
	Force          bool
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

func newNew(g *globals) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "new",
		Short: "Write a tenant, a Worker, a binding, an object, a workflow, a consumer or a tool",
		Long: "Writes code that compiles and has tests, and registers it. What is there already is left as it is, so a command may be\n" +
			"repeated. A file that was edited since it was made is not written over unless --force says so, and nothing at all is\n" +
			"written when something is wrong.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newTenant(g), newWorker(g), newBinding(g), newObject(g), newWorkflow(g), newConsumer(g), newTool(g))
	return cmd
}

// generator is a subcommand that makes one thing with a name.
func generator(g *globals, kind, short, long, example string, plan func(generate.Options, string) (*generate.Plan, error)) (*cobra.Command, *newOptions) {
	o := &newOptions{globals: g}
	cmd := &cobra.Command{
		Use: kind + " NAME", Short: short, Long: long, Example: example, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd, func(opts generate.Options) (*generate.Plan, error) { return plan(opts, args[0]) })
		},
	}
	o.bind(cmd)
	return cmd, o
}

func (o *newOptions) bind(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&o.DryRun, "dry-run", false, "print what would be written, as a diff, and write nothing")
	f.BoolVar(&o.Force, "force", false, "write over generated files that were edited since")
	f.BoolVar(&o.JSON, "json", false, "print JSON")
}

// run makes the plan and does it, or shows it.
func (o *newOptions) run(cmd *cobra.Command, plan func(generate.Options) (*generate.Plan, error)) error {
	o.Stdin, o.Stdout, o.Stderr = cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()
	root, err := o.globals.folder()
	if err != nil {
		return err
	}
	p, err := plan(generate.Options{Root: root, Force: o.Force})
	if err != nil {
		return refused(err)
	}
	if !o.DryRun {
		if err := p.Apply(root); err != nil {
			return refused(err)
		}
	}
	return o.print(p)
}

// refused says that nothing was written, above what is wrong.
func refused(err error) error {
	var r *generate.Refused
	if errors.As(err, &r) {
		return fmt.Errorf("nothing was written:\n  %s", strings.ReplaceAll(err.Error(), "\n", "\n  "))
	}
	return err
}

func (o *newOptions) print(p *generate.Plan) error {
	changed := p.Changed()
	switch {
	case o.JSON:
		enc := json.NewEncoder(o.Stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(p)
	case len(changed) == 0:
		fmt.Fprintf(o.Stdout, "%s is there already: nothing to write\n", p.What)
		return nil
	case o.DryRun:
		fmt.Fprint(o.Stdout, p.Diff())
		fmt.Fprintf(o.Stderr, "%s: nothing was written (--dry-run)\n", p.What)
		return nil
	}
	for _, f := range changed {
		sign := "+"
		if f.Action == generate.Edit {
			sign = "~"
		}
		fmt.Fprintf(o.Stdout, "%s %s\n", sign, f.Path)
	}
	for _, note := range p.Notes {
		fmt.Fprintf(o.Stdout, "%s\n", note)
	}
	return nil
}
