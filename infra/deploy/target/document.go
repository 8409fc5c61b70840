package target

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"strings"

	"github.com/tailscale/hujson"

	"levada.dev/infra/deploy/credential"
	"levada.dev/tenants"
)

// document is a file of JSON with comments, and what is wrong with it.
type document struct {
	name     string // in the tenants' folder
	text     []byte
	tree     hujson.Value
	standard []byte // without comments; every byte is where it was
	problems tenants.Problems
}

// readDocument reads a file. It is nil when there is none. Of one that is no JSON, or has a secret in it, nothing but that is told.
func readDocument(fsys fs.FS, name string) *document {
	d := &document{name: name}
	var err error
	d.text, err = fs.ReadFile(fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		var e *fs.PathError
		if errors.As(err, &e) {
			err = e.Err // without the name, which the problem has
		}
		d.add("", "", "cannot be read: %v", err)
		return d
	}
	d.parse()
	return d
}

func (d *document) parse() {
	tree, err := hujson.Parse(d.text)
	if err != nil {
		d.problems = append(d.problems, d.syntax(err))
		return
	}
	d.tree = tree
	plain := tree.Clone()
	plain.Standardize()
	d.standard = plain.Pack()
	d.secrets(&d.tree, "")
}

// whole reports whether the file can be looked at further.
func (d *document) whole() bool { return d != nil && len(d.standard) > 0 && len(d.problems) == 0 }

func (d *document) add(path, hint, format string, args ...any) {
	d.problems = append(d.problems, tenants.Problem{Path: path, Hint: hint, Message: fmt.Sprintf(format, args...)})
}

// has reports whether there is a problem at a path, around it or inside it.
func (d *document) has(path string) bool {
	for _, p := range d.problems {
		if inside(p.Path, path) || inside(path, p.Path) {
			return true
		}
	}
	return false
}

// inside reports whether a path is another or below it.
func inside(path, other string) bool {
	rest, ok := strings.CutPrefix(path, other)
	return ok && (rest == "" || other == "" || rest[0] == '.' || rest[0] == '[')
}

var (
	syntaxPlace = regexp.MustCompile(`^hujson: line (\d+), column (\d+): (?s:(.*))$`)
	quoted      = regexp.MustCompile(`(?s)invalid literal: .*`) // may be a secret without its quotes
)

func (d *document) syntax(err error) tenants.Problem {
	p := tenants.Problem{Line: 1, Column: 1, Message: "is not JSON"}
	if m := syntaxPlace.FindStringSubmatch(err.Error()); m != nil {
		p.Line, _ = strconv.Atoi(m[1])
		p.Column, _ = strconv.Atoi(m[2])
		p.Message += ": " + quoted.ReplaceAllString(m[3], "invalid literal")
	}
	return p
}

const noSecret = "a secret is not kept in the checkout: refer to it, as env:NAME, file:/path or op://vault/item/field; replace this one, others may have seen it"

// secrets finds what looks like a secret, in a value or as a name.
func (d *document) secrets(v *hujson.Value, path string) {
	switch x := v.Value.(type) {
	case hujson.Literal:
		if x.Kind() == '"' && credential.LooksSecret(x.String()) {
			d.add(path, noSecret, "looks like a secret, which is not shown")
		}
	case *hujson.Array:
		for i := range x.Elements {
			d.secrets(&x.Elements[i], fmt.Sprintf("%s[%d]", path, i))
		}
	case *hujson.Object:
		for i := range x.Members {
			name := nameOf(x.Members[i])
			if credential.LooksSecret(name) {
				d.add(path, noSecret, "the name of a member looks like a secret, which is not shown")
				continue
			}
			d.secrets(&x.Members[i].Value, join(path, name))
		}
	}
}

func nameOf(m hujson.ObjectMember) string {
	name, _ := m.Name.Value.(hujson.Literal)
	return name.String()
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// placed is the problems with the file's name, and the line and column of what they are about.
func (d *document) placed() tenants.Problems {
	if d == nil {
		return nil
	}
	for i := range d.problems {
		p := &d.problems[i]
		p.File = d.name
		if p.Line == 0 && d.tree.Value != nil {
			offset := place(&d.tree, p.Path)
			p.Line = 1 + bytes.Count(d.text[:offset], []byte("\n"))
			p.Column = offset - bytes.LastIndexByte(d.text[:offset], '\n')
		}
	}
	d.problems.Sort()
	return d.problems
}

// place is where a path leads: the name of a member, an element, or the last on the way that is there.
func place(v *hujson.Value, path string) int {
	switch x := v.Value.(type) {
	case *hujson.Object:
		best := -1
		for i := range x.Members { // of equal names the last: that one is too much
			name := nameOf(x.Members[i])
			if inside(path, name) && name != "" && (best < 0 || len(name) >= len(nameOf(x.Members[best]))) {
				best = i
			}
		}
		if best < 0 {
			break
		}
		rest := strings.TrimPrefix(path[len(nameOf(x.Members[best])):], ".")
		if at := place(&x.Members[best].Value, rest); rest != "" && at != x.Members[best].Value.StartOffset {
			return at
		}
		return x.Members[best].Name.StartOffset
	case *hujson.Array:
		digits, rest, ok := strings.Cut(strings.TrimPrefix(path, "["), "]")
		i, err := strconv.Atoi(digits)
		if !ok || err != nil || i < 0 || i >= len(x.Elements) {
			break
		}
		return place(&x.Elements[i], strings.TrimPrefix(rest, "."))
	}
	return v.StartOffset
}
