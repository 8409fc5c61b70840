package generate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"strings"
	"time"

	"levada.dev/events"
	"levada.dev/tenants"
)

// stage is what the templates of a consumer are told.
type stage struct {
	thing
	Type, Title string // of its event
}

// NewConsumer plans a stage: a fact with its schema and golden, the queue that it goes by, with one for the dead, and the consumer
// that reacts to it.
func NewConsumer(o Options, consumer string) (*Plan, error) {
	n, err := parseName("consumer", consumer, false)
	if err != nil {
		return nil, err
	}
	d := newDraft(o, "consumer", n.Kebab)
	st := stage{newThing(n, "consumers"), "dev.levada." + n.Package() + ".requested.v1", "The " + n.Words() + " of a document was asked for"}
	folder, adapter, fact := "consumers/"+n.Package(), "infra/cloudflare/port/"+n.Package()+"notes_js.go", "events/"+n.Package()+".go"
	for _, err := range []error{
		d.ownFolder(folder),
		d.undeclared(adapter, n.Go()+"Notes", "New"+n.Go()+"Notes"),
		d.undeclared(fact, n.Go()+"Requested", "Type"+n.Go()+"Requested"),
		d.ownAll("consumer", map[string]string{
			"doc.go": folder + "/doc.go", "consumer.go": folder + "/" + n.Package() + ".go", "consumer_test.go": folder + "/" + n.Package() + "_test.go",
			"port_js.go": adapter, "fact.go": fact, "schema.json": "events/schema/" + st.Type + ".json",
		}, st),
		d.golden(st),
		d.event(st),
		d.eventsPage(st),
		d.queueRow(n.Package(), ""),
		d.sentTo(n),
		d.wired(n),
	} {
		if err != nil {
			return nil, err
		}
	}
	d.note("nobody tells %s.requested yet: an outbox, or events.Publisher, does", n.Package())
	d.note("next: go test ./%s ./events ./infra/stack ./infra/app", folder)
	return d.plan()
}

// sample is the fact of the golden. It stands in for the type that is generated.
type sample struct{ stage }

func (x sample) Type() string    { return x.stage.Type }
func (x sample) Subject() string { return x.Name.Package() + "/guide.md" }
func (sample) Identity() string  { return "" }
func (sample) Check() error      { return nil }
func (sample) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"docId": "guide.md"})
}

// golden makes the golden of the fact, as the tests of package events make theirs.
func (d *draft) golden(st stage) error {
	s, err := tenants.Resume("acme")
	if err != nil {
		return err
	}
	cause := events.Cause{ID: "r-1", TraceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", IdempotencyKey: "order-7"}
	ev, err := events.New(s, "objects", cause, time.Date(2026, 11, 22, 4, 30, 0, 0, time.UTC), sample{st})
	if err != nil {
		return err
	}
	text, err := ev.MarshalJSON()
	if err != nil {
		return err
	}
	return d.own("events/testdata/"+st.Type+"/full.json", append(text, '\n'))
}

// event adds the fact to the table of all, and to what the tests of the table know.
func (d *draft) event(st stage) error {
	n := st.Name
	constant := "Type" + n.Go() + "Requested"
	err := d.goFile("events/spec.go", func(s *source) error {
		stages := s.consts("Stage")
		list, ok := s.literal(s.tree, "[...]Spec")
		if !ok || len(stages) == 0 {
			return s.missing("specs", constant)
		}
		if !s.declares("Stage" + n.Go()) {
			s.insert(stages[len(stages)-1].End(), "\n\tStage%s Stage = %q", n.Go(), n.Package())
		}
		if !strings.Contains(s.said(list), constant+",") {
			s.add(list, fmt.Sprintf("{\nType: %s, Stage: Stage%s, New: func() Fact { return new(%sRequested) },\nSays: %q,\nProducer: \"nobody yet\", Consumer: \"consumers/%s\",\n}",
				constant, n.Go(), n.Go(), st.Title+".", n.Package()))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := d.entry("events/golden_test.go", "map[string]events.Fact", fmt.Sprintf("%q", n.Package()+".requested/full"), fmt.Sprintf("events.%sRequested{DocID: \"guide.md\"}", n.Go())); err != nil {
		return err
	}
	if err := d.told(n); err != nil {
		return err
	}
	return d.entry("events/page_test.go", "map[string]string", "events."+constant, fmt.Sprintf("%q", n.Package()+"/<docId>"))
}

// told has the suite of publishers tell the fact, too.
func (d *draft) told(n name) error {
	return d.goFile("events/eventstest/publishersuite.go", func(s *source) error {
		row := fmt.Sprintf("events.%sRequested{DocID: fresh(t)}", n.Go())
		list, ok := s.literal(s.tree, "[]events.Fact")
		if !ok {
			return s.missing("oneOfEach", row)
		}
		if !strings.Contains(s.said(list), row) {
			s.add(list, row)
		}
		return nil
	})
}

// entry adds a key and its value to the first map of a type in a file, unless the key is there.
func (d *draft) entry(file, typ, key, value string) error {
	return d.goFile(file, func(s *source) error {
		m, ok := s.literal(s.tree, typ)
		if !ok {
			return s.missing(typ, key+": "+value)
		}
		_, there := find(m, func(kv *ast.KeyValueExpr) bool { return s.said(kv.Key) == key })
		if !there {
			s.add(m, key+": "+value)
		}
		return nil
	})
}

// eventsPage adds the fact to the page of all: a row in the table, and a section at the end.
func (d *draft) eventsPage(st stage) error {
	const page = "docs/events.md"
	return d.edit(page, func(text []byte) ([]byte, error) {
		if bytes.Contains(text, []byte("\n## "+st.Type+"\n")) {
			return text, nil
		}
		last := bytes.LastIndex(text, []byte("\n| [`dev."))
		if last < 0 {
			return nil, refuse(codeForm, page, "", "write the page anew: go test ./events -run TestPageIsFresh -update", "the table of the events was not found")
		}
		end := last + 1 + bytes.IndexByte(text[last+1:], '\n') + 1
		p := st.Name.Package()
		row := fmt.Sprintf("| [`%s`](#%s) | %s | nobody yet | consumers/%s |\n", st.Type, strings.ReplaceAll(st.Type, ".", ""), p, p)
		section := fmt.Sprintf("\n## %s\n\n%s. Subject `%s/<docId>`. [Schema](../events/schema/%[1]s.json), [goldens](../events/testdata/%[1]s/).\n\n| member | type | | |\n|---|---|---|---|\n| `docId` | string | required | The document. |\n",
			st.Type, st.Title, p)
		return bytes.Join([][]byte{text[:end], []byte(row), text[end:], []byte(section)}, nil), nil
	})
}

// sentTo has every role that sends events send them to the stage's queue, too.
func (d *draft) sentTo(n name) error {
	env := n.Env() + "_QUEUE"
	row := fmt.Sprintf("{Name: %q, Kind: Producer, Target: %q}", env, n.Package())
	err := d.table("levadaWorkers", row, func(s *source, f *ast.FuncDecl) error {
		list, ok := s.variables(f)["queues"].(*ast.CompositeLit)
		if !ok {
			return s.missing("queues", row)
		}
		if !hasElement(list, func(l *ast.CompositeLit) bool { return text(l, "Name") == env }) {
			s.add(list, row)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return d.entry("infra/cloudflare/port/env_js.go", "map[events.Stage]queue.Producer", "events.Stage"+n.Go(), fmt.Sprintf("queue.Open(%q)", env))
}

// apart is a blank line before the first field that is generated, so that those of people keep their alignment.
func apart(t *ast.StructType) string {
	if all := t.Fields.List; len(all) > 0 && strings.HasSuffix(all[len(all)-1].Names[0].Name, "Notes") {
		return ""
	}
	return "\n"
}

// wired gives the consumer to the role that reacts to the queues, and its port to the wiring.
func (d *draft) wired(n name) error {
	port, pkg := n.Go()+"Notes", imported{"levada.dev/consumers/" + n.Package(), n.Package() + "consumer"}
	err := d.goFile("infra/app/app.go", func(s *source) error {
		ports, ok := find(s.tree, func(t *ast.TypeSpec) bool { return t.Name.Name == "Ports" })
		if !ok {
			return s.missing("Ports", port)
		}
		fields, ok := ports.Type.(*ast.StructType)
		routes, list := s.literal(s.tree, "[]consumers.Route")
		if !ok || !list {
			return s.missing("Ports", port)
		}
		if _, there := find(fields, func(i *ast.Ident) bool { return i.Name == port }); there {
			return nil
		}
		known := s.imported(pkg.path, pkg.alias)
		s.insert(fields.Fields.Closing, "%s%s %s.Notes\n", apart(fields), port, known)
		s.add(routes, fmt.Sprintf("%s.New(p.%s).Route()", known, port))
		return nil
	})
	if err != nil {
		return err
	}
	return d.goFile("infra/workers/consumers/main_js.go", func(s *source) error {
		ports, ok := s.literal(s.tree, "app.Ports")
		if !ok {
			return s.missing("app.Ports", port)
		}
		if _, there := field(ports, port); !there {
			s.add(ports, fmt.Sprintf("%s: port.New%s(r2.Open(\"CORPUS\"))", port, port))
		}
		return nil
	})
}
