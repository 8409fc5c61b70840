package outside

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"sync"
	"time"

	"levada.dev/tenants"
	"levada.dev/workflows/corpus/web"
	"levada.dev/workflows/tools"
)

// What is kept at most, of all tenants.
const (
	maxKept  = 256
	maxBytes = 8 << 20 // of schemas, compiled
	partSize = 1 << 10 // of a part that is compiled
)

// Tools makes the tools of tenants. It is safe for concurrent use.
type Tools struct {
	do      web.Do
	secrets tenants.Secrets
	opts    Options
	any     *tools.Schema // of an answer that is not described

	mu    sync.Mutex
	kept  map[tenants.ID]*edition
	bytes int // of all that is kept
}

// Options tunes Tools.
type Options struct {
	// Private lets declarations open http and private networks. Without it they stay closed, whatever a configuration says.
	Private bool
	Now     func() time.Time
	Log     *slog.Logger
}

// edition is what was made of a tenant's configuration.
type edition struct {
	config   *tenants.Config
	declared []tenants.HTTPTool
	enabled  []string
	tools    []tools.Tool
	bytes    int // of the schemas when all are compiled
}

// New makes Tools that send with do, which follows no redirect, and read the secrets of the tenant whose call it is. The options may be nil.
func New(do web.Do, secrets tenants.Secrets, o *Options) *Tools {
	t := &Tools{do: do, secrets: secrets, any: tools.NewSchema(`{"type":"object"}`), kept: map[tenants.ID]*edition{}}
	if o != nil {
		t.opts = *o
	}
	if t.opts.Now == nil {
		t.opts.Now = time.Now
	}
	if t.opts.Log == nil {
		t.opts.Log = slog.Default()
	}
	return t
}

// Of is the enabled HTTP tools of a configuration, which nobody changes any more. One that could not be called is left out, and logged once.
func (t *Tools) Of(c *tenants.Config) []tools.Tool {
	if len(c.Tools.HTTP) == 0 {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.kept[c.ID]
	switch {
	case e != nil && e.config == c:
	case e != nil && slices.Equal(e.enabled, c.Tools.Enabled) && reflect.DeepEqual(e.declared, c.Tools.HTTP):
		e.config = c // it was read again
	default:
		e = t.make(c)
		t.keep(c.ID, e)
	}
	return e.tools
}

func (t *Tools) make(c *tenants.Config) *edition {
	e := &edition{config: c, declared: c.Tools.HTTP, enabled: c.Tools.Enabled}
	for _, d := range c.Tools.HTTP {
		e.bytes += weight(d.Input) + weight(d.Output)
		if !c.Tools.Has(d.Name) {
			continue
		}
		tool, err := t.tool(d)
		if err != nil {
			t.opts.Log.Error("an HTTP tool is left out: nobody could call it", "tenantId", c.ID, "tool", d.Name, "error", err)
			continue
		}
		e.tools = append(e.tools, tool)
	}
	return e
}

// keep keeps an edition in place of the tenant's last one, and makes room for it.
func (t *Tools) keep(id tenants.ID, e *edition) {
	t.forget(id)
	for other := range t.kept {
		if len(t.kept) < maxKept && t.bytes+e.bytes <= maxBytes {
			break
		}
		t.forget(other)
	}
	t.kept[id] = e
	t.bytes += e.bytes
}

func (t *Tools) forget(id tenants.ID) {
	if e := t.kept[id]; e != nil {
		t.bytes -= e.bytes
		delete(t.kept, id)
	}
}

// weight is how many bytes a schema takes when it is compiled: by its parts, of which short ones take most.
func weight(schema []byte) int { return len(schema) + partSize*tenants.SchemaParts(schema) }

// tool makes one of a declaration. Its schemas are looked at, and compiled when it is called first: one call must not compile those of all tools.
func (t *Tools) tool(d tenants.HTTPTool) (tools.Tool, error) {
	template, err := tenants.ParseTemplate(d.URL)
	if err != nil {
		return tools.Tool{}, fmt.Errorf("url: %w", err)
	}
	input, output := tools.NewSchema(string(d.Input)), t.any
	if len(d.Output) > 0 {
		output = tools.NewSchema(string(d.Output))
	}
	for name, schema := range map[string]*tools.Schema{"input": input, "output": output} {
		if err := look(schema.Text()); err != nil {
			return tools.Tool{}, fmt.Errorf("%s: %w", name, err)
		}
	}
	e := &endpoint{Tools: t, declared: d, template: template}
	return tools.Tool{
		Name: d.Name, Description: d.Description, Input: input, Output: output, Needs: d.Needs,
		Timeout: time.Duration(d.TimeoutSeconds) * time.Second, Cost: tools.Outside, Effects: tools.Effects(d.Effects), Run: e.run,
	}, nil
}

// look finds what is wrong with a schema without compiling it.
func look(schema json.RawMessage) error {
	var outline struct {
		Type any `json:"type"`
	}
	if n := tenants.SchemaParts(schema); n > tenants.MaxToolSchemaParts {
		return fmt.Errorf("has %d parts, more than %d", n, tenants.MaxToolSchemaParts)
	}
	if err := json.Unmarshal(schema, &outline); err != nil || outline.Type != "object" {
		return errors.New("is no JSON Schema of an object")
	}
	return nil
}
