package generate

import (
	"bytes"
	"embed"
	"fmt"
	"go/format"
	"maps"
	"path"
	"slices"
	"strings"
	"text/template"

	"levada.dev/tenants"
)

// Options is what every generator takes.
type Options struct {
	Root  string // the checkout
	Force bool   // write over generated files that were edited since
}

// draft is a plan in the making.
type draft struct {
	Options
	what    string // "consumer digest"
	files   map[string]*File
	notes   []string
	refusal Refused
}

func newDraft(o Options, kind, name string) *draft {
	return &draft{Options: o, what: kind + " " + name, files: map[string]*File{}}
}

// plan is what came of the draft.
func (d *draft) plan() (*Plan, error) {
	if len(d.refusal.Problems) > 0 {
		return nil, &d.refusal
	}
	p := &Plan{What: d.what, Notes: d.notes}
	for _, name := range slices.Sorted(maps.Keys(d.files)) {
		f := d.files[name]
		switch {
		case !f.touched:
			continue
		case f.before == nil:
			f.Action = Make
		case bytes.Equal(f.before, f.after):
			f.Action = Keep
		default:
			f.Action = Edit
		}
		if f.Action != Keep {
			f.Text = string(f.after)
		}
		p.Files = append(p.Files, *f)
	}
	return p, nil
}

func (d *draft) note(format string, args ...any) {
	d.notes = append(d.notes, fmt.Sprintf(format, args...))
}

// problem notes what is wrong; the plan is refused, with everything else that is.
func (d *draft) problem(code, file, hint, format string, args ...any) {
	if d.refusal.Code == "" {
		d.refusal.Code = code
	}
	d.refusal.Problems = append(d.refusal.Problems, tenants.Problem{File: file, Hint: hint, Message: fmt.Sprintf(format, args...)})
}

// file is a file of the checkout as the draft has it.
func (d *draft) file(name string) (*File, error) {
	if f, known := d.files[name]; known {
		return f, nil
	}
	b, err := read(d.Root, name)
	if err != nil {
		return nil, err
	}
	f := &File{Path: name, before: b, after: b}
	d.files[name] = f
	return f, nil
}

// edit changes a file that is there.
func (d *draft) edit(name string, change func(text []byte) ([]byte, error)) error {
	f, err := d.file(name)
	if err != nil {
		return err
	}
	if f.after == nil {
		return refuse(codeForm, name, "", "the generator edits this file", "is not there")
	}
	f.after, err = change(f.after)
	f.touched = true
	return err
}

// own makes a file that belongs to what is generated. It is marked, if it is Go, and one that is there is written over only if the
// mark is in it and it was not edited, or that is forced.
func (d *draft) own(name string, text []byte) error {
	mark := ""
	if path.Ext(name) == ".go" {
		mark = "//levada:new " + d.what + "\n"
		formatted, err := format.Source(append([]byte(mark+"\n"), text...))
		if err != nil {
			return fmt.Errorf("template of %s: %w", name, err)
		}
		text = formatted
	}
	f, err := d.file(name)
	if err != nil {
		return err
	}
	switch {
	case f.before == nil || bytes.Equal(f.before, text):
	case !bytes.HasPrefix(f.before, []byte(mark)):
		d.problem(codeTaken, name, "take another name", "is there, and was not made by levada new %s", d.what)
		return nil
	case !d.Force:
		d.problem(codeEdited, name, "keep it, or write over it with --force", "was edited since it was made, or is another's")
		return nil
	}
	f.after, f.touched = text, true
	return nil
}

//go:embed templates
var templates embed.FS

// ownAll makes the files of a template's folder, each under the name that names gives it.
func (d *draft) ownAll(folder string, names map[string]string, data any) error {
	for _, from := range slices.Sorted(maps.Keys(names)) {
		text, err := render(folder+"/"+from+".tmpl", data)
		if err != nil {
			return err
		}
		if err := d.own(names[from], text); err != nil {
			return err
		}
	}
	return nil
}

func render(name string, data any) ([]byte, error) {
	t, err := template.New(path.Base(name)).Funcs(template.FuncMap{"join": strings.Join}).ParseFS(templates, "templates/"+name)
	if err != nil {
		return nil, fmt.Errorf("template %s: %w", name, err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		return nil, fmt.Errorf("template %s: %w", name, err)
	}
	return b.Bytes(), nil
}
