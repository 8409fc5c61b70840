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

func newObject(g *globals) *cobra.Command {
	var x generate.Object
	cmd, _ := generator(g, "object", "Write a class of Durable Objects",
		"Writes what a tenant's object decides, with its test, the class that keeps it in SQLite, and the port that reaches it, and registers\n"+
			"the class. It counts: put what you need in its place.",
		"  levada new object visits\n  levada new object visits --worker api",
		func(o generate.Options, name string) (*generate.Plan, error) {
			x.Name = name
			return generate.NewObject(o, x)
		})
	cmd.Flags().StringVar(&x.Worker, "worker", "", "role of the Worker that gets a binding to it, such as api")
	return cmd
}

func newWorkflow(g *globals) *cobra.Command {
	cmd, _ := generator(g, "workflow", "Write a flow that survives whatever happens",
		"Writes a flow whose steps keep their results, with a test that lets it die at each of its moments, and registers its class. The\n"+
			"consumers may start it.",
		"  levada new workflow word-count", generate.NewWorkflow)
	return cmd
}

func newConsumer(g *globals) *cobra.Command {
	cmd, _ := generator(g, "consumer", "Write a stage: an event, its queues, and what reacts to it",
		"Writes an event with its schema and golden, the queue that it goes by with one for dead letters, and the consumer that reacts to it,\n"+
			"with a test of two tenants whose events come twice, and wires it.",
		"  levada new consumer digest", generate.NewConsumer)
	return cmd
}

func newTool(g *globals) *cobra.Command {
	cmd, _ := generator(g, "tool", "Write a tool that models can call",
		"Writes a typed function with the JSON Schema of what it takes, and a test that holds the two together, and adds it to the platform's\n"+
			"tools.",
		"  levada new tool word-count", generate.NewTool)
	return cmd
}
