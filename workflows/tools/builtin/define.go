package builtin

import (
	"context"
	"embed"
	"reflect"

	"levada.dev/workflows/llm"
	"levada.dev/workflows/tools"
)

//go:embed schema/*.json
var schemas embed.FS

// tool is a tool and the types that its schemas are derived from.
type tool struct {
	tools.Tool
	in, out reflect.Type
}

// define makes a tool of a function over types. Its schemas are in the files of its name. What it has models do is on the call's record as it is booked.
func define[In, Out any](t tools.Tool, run func(ctx context.Context, c *tools.Call, in In) (Out, error)) tool {
	t.Input, t.Output = kept(t.Name, "input"), kept(t.Name, "output")
	metered := func(ctx context.Context, c *tools.Call, in In) (Out, error) {
		return run(llm.Metered(ctx, c.Spent), c, in)
	}
	return tool{tools.Typed(t, metered), reflect.TypeFor[In](), reflect.TypeFor[Out]()}
}

// kept is a schema as it was derived. One that is not there is no schema, which a test finds.
func kept(name, side string) *tools.Schema {
	text, err := schemas.ReadFile(schemaFile(name, side))
	if err != nil {
		text = []byte("{}")
	}
	return tools.NewSchema(string(text))
}

func schemaFile(name, side string) string { return "schema/" + name + "." + side + ".json" }
