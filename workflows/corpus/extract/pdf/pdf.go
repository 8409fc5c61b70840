package pdf

import (
	"bytes"
	"fmt"
	"slices"
)

// Document is what a file says.
type Document struct {
	Title string
	Text  []byte // of the pages that have some, with a blank line between them
}

// Read takes the text out of a file. It fails with ErrBroken, ErrEncrypted, or ErrExpands when there are more than limit bytes
// of text, or more to unpack than any file needs.
func Read(data []byte, limit int) (Document, error) {
	if !bytes.Contains(data[:min(len(data), 1024)], []byte("%PDF-")) {
		return Document{}, fmt.Errorf("%w: it does not begin as one", ErrBroken)
	}
	f, err := open(data)
	if err != nil {
		return Document{}, err
	}
	d := Document{Title: textString(string(f.string(f.info["Title"]))), Text: make([]byte, 0, min(len(data), limit))}
	for _, leaf := range f.pages() {
		text, err := f.page(leaf)
		if err != nil {
			return Document{}, err
		}
		if len(d.Text)+len(text) > limit {
			return Document{}, ErrExpands
		}
		if text == "" {
			continue
		}
		if len(d.Text) > 0 {
			d.Text = append(d.Text, "\n\n"...)
		}
		d.Text = append(d.Text, text...)
	}
	return d, nil
}

// leaf is a page with what it has from those above it in the tree.
type leaf struct {
	dict      dict
	resources dict
}

// pages walks the tree of pages. Of a file that has lost it they are found by what they are.
func (f *file) pages() []leaf {
	var all []leaf
	seen := map[int]bool{}
	var walk func(o any, resources dict, depth int)
	walk = func(o any, resources dict, depth int) {
		if r, ok := o.(ref); ok {
			if seen[r.number] {
				return
			}
			seen[r.number] = true
		}
		d := f.dict(o)
		if d == nil || depth > maxNesting || len(all) >= maxPages {
			return
		}
		if own := f.dict(d["Resources"]); own != nil {
			resources = own
		}
		if kids, ok := f.resolve(d["Kids"]).(array); ok {
			for _, kid := range kids {
				walk(kid, resources, depth+1)
			}
			return
		}
		all = append(all, leaf{d, resources})
	}
	walk(f.root["Pages"], nil, 0)
	if len(all) > 0 {
		return all
	}
	for _, n := range f.numbers() {
		if d, ok := f.object(n).(dict); ok && d["Type"] == name("Page") && len(all) < maxPages {
			all = append(all, leaf{d, f.dict(d["Resources"])})
		}
	}
	return all
}

// numbers are the numbers of all objects, in order.
func (f *file) numbers() []int {
	var ns []int
	for n := range f.places {
		ns = append(ns, n)
	}
	slices.Sort(ns)
	return ns
}

// page is the text of one page.
func (f *file) page(leaf leaf) (string, error) {
	var content []byte
	for _, o := range f.list(leaf.dict["Contents"]) {
		s, ok := f.resolve(o).(*stream)
		if !ok {
			continue
		}
		b, err := f.decode(s)
		if err == ErrExpands {
			return "", err
		}
		if len(content)+len(b) > maxStream {
			return "", ErrExpands
		}
		content = append(append(content, b...), '\n')
	}
	p := &page{file: f, layout: &layout{}}
	p.state = state{ctm: identity, horizontal: 1}
	p.draw(content, leaf.resources, 0)
	return p.layout.text(), nil
}
