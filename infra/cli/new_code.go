package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"levada.dev/infra/generate"
)

func newWorker(g *globals) *cobra.Command {
	var w generate.Worker
	cmd, _ := generator(g, "worker", "Write a Worker of its own",
		"Writes the entry point of a new role and its test, and adds the role to the table of what is deployed, with a budget for its size.\n"+
			"It answers requests of other Workers, or takes the batches of a queue of its own.",
		"  levada new worker reports\n  levada new worker thumbnails --handler queue",
		func(o generate.Options, name string) (*generate.Plan, error) {
			w.Role = name
			return generate.NewWorker(o, w)
		})
	cmd.Flags().StringVar((*string)(&w.Handler), "handler", string(generate.HTTP), "what it answers: http or queue")
	return cmd
}

func newBinding(g *globals) *cobra.Command {
	var b generate.Binding
	cmd, _ := generator(g, "binding", "Add a binding to a Worker",
		"Adds a binding to a Worker in the table of what is deployed, and the namespace, bucket or queue that it leads to where that is new.\n"+
			"A queue gets its dead-letter queue.",
		"  levada new binding REPORTS --worker api --kind r2\n  levada new binding SHELF --worker consumers --kind object --target Shelf",
		func(o generate.Options, name string) (*generate.Plan, error) {
			b.Name = name
			return generate.NewBinding(o, b)
		})
	f := cmd.Flags()
	f.StringVar(&b.Worker, "worker", "", "role of the Worker, such as api")
	f.StringVar(&b.Kind, "kind", "", "what it gives access to: "+strings.Join(generate.BindingKinds(), ", "))
	f.StringVar(&b.Target, "target", "", "which one (default from the binding's name)")
	for _, flag := range []string{"worker", "kind"} {
		if err := cmd.MarkFlagRequired(flag); err != nil {
			panic(err) // there is no such flag
		}
	}
	return cmd
}
