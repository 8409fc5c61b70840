package api_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/stretchr/testify/require"

	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/workflows/safety"
	"levada.dev/workflows/tools"
	"levada.dev/workflows/tools/builtin"
	"levada.dev/workflows/tools/toolstest"
)

// toolBench is the tools of the tests, and what is on record of their calls.
type toolBench struct {
	*toolstest.Set
	records *toolstest.Records
	calls   *memory.Calls
}

// newToolBench gives the world tools: those that wait do so for two seconds.
func newToolBench(w *world) *toolBench {
	b := &toolBench{toolstest.NewSet(2 * time.Second), &toolstest.Records{}, memory.NewCalls(func() time.Time { return w.opts.Now() })}
	w.t.Cleanup(b.Close)
	list := b.Tools()
	if _, ok := w.deps.Directory.(equipped); ok {
		list = builtin.All(builtin.Deps{})
	}
	registry, err := tools.New(list...)
	require.NoError(w.t, err)
	n := 0
	w.deps.Tools = tools.NewRunner(tools.Ports{Tools: registry, Calls: b.calls, Records: b.records}, &tools.Options{
		Screen: safety.New(safety.Local{}, nil, nil).Arguments, Now: func() time.Time { return w.opts.Now() }, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		NewID: func() string {
			n++
			return fmt.Sprint("call-", n)
		},
	})
	return b
}

// tooled is a directory whose tenants have tools of the tests, which no configuration can name: acme all of them, with a policy, globex two, others none.
type tooled struct{ tenants.Directory }

func (d tooled) Config(ctx context.Context, id tenants.ID) (*tenants.Config, error) {
	c, err := d.Directory.Config(ctx, id)
	if err != nil {
		return nil, err
	}
	own := *c
	switch id {
	case "acme":
		most := int64(60)
		own.Tools.Enabled = (&toolstest.Set{}).Names()
		own.Tools.Policies = []tenants.Policy{{Tool: "echo", Argument: "size", Max: &most}}
	case "globex":
		own.Tools.Enabled = []string{"echo", "finder"}
	}
	return &own, nil
}

// equipped is a directory whose tenants have the platform's own tools: acme all of them, globex some, others none. What they ask for is not there.
type equipped struct{ tenants.Directory }

func (d equipped) Config(ctx context.Context, id tenants.ID) (*tenants.Config, error) {
	c, err := d.Directory.Config(ctx, id)
	if err != nil {
		return nil, err
	}
	own := *c
	own.Tools = tenants.Tools{}
	switch id {
	case "acme":
		own.Tools.Enabled = tenants.PlatformTools()
	case "globex":
		own.Tools.Enabled = []string{"calculator", "search_docs"}
	}
	return &own, nil
}

// chatty is a directory whose open tenant has two tools, one of them in its turns by itself.
type chatty struct{ tenants.Directory }

func (d chatty) Config(ctx context.Context, id tenants.ID) (*tenants.Config, error) {
	c, err := d.Directory.Config(ctx, id)
	if err != nil || id != "demo" {
		return c, err
	}
	own := *c
	own.Tools.Enabled, own.Tools.InChat = []string{"echo", "finder"}, []string{"echo"}
	return &own, nil
}
