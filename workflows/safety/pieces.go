package safety

import (
	"cmp"
	"context"
	"slices"
	"sort"
	"strings"

	"levada.dev/tenants"
)

// How a JSON text is read: its strings one by one, and those that stand beside each other as one, because an attack may be spread over several.
const (
	maxAlone  = 10_000  // strings that are read by themselves; those that follow are read with their neighbours alone
	minAlone  = 8       // bytes; what is shorter is read with its neighbours alone
	window    = 2 << 10 // bytes of neighbours that are read as one
	seam      = overlap // bytes of a string that are read with those before it, and with those after it
	maxNested = 3       // JSON in strings of JSON
)

// reader has a text screened that may be JSON. It keeps no more of it than a window.
type reader struct {
	filter *Filter
	ctx    context.Context
	scope  tenants.Scope
	ask    Ask // how each piece is screened

	worst Verdict
	bad   []place // values of the text that are not to be shown
	whole bool    // nothing of it is
	alone int
	near  []neighbour
	size  int  // of near
	fresh bool // near was not read since something came to it
}

// place is where a value of the text stands, with its quotation marks. None is the zero value: what belongs to no value alone.
type place struct{ from, to int }

// neighbour is a string, or the beginning or end of one, and the value that it belongs to.
type neighbour struct {
	text string
	of   place
}

// read screens what is JSON, or a text like any other.
func (f *Filter) read(ctx context.Context, s tenants.Scope, a Ask) (*reader, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	r := &reader{filter: f, ctx: ctx, scope: s, ask: a}
	if err := r.read(a.Text); err != nil {
		return nil, err
	}
	return r, nil
}

// said is Input for one text that may be JSON.
func (f *Filter) said(ctx context.Context, s tenants.Scope, p tenants.Safety, requestID, text string) (Verdict, error) {
	if f == nil || p.Input == tenants.ScreenOff {
		return Verdict{}, nil
	}
	r, err := f.read(ctx, s, Ask{Text: text, Model: p.Model, RequestID: requestID})
	if err != nil {
		return Verdict{}, err
	}
	if r.worst.Found() && p.Input == tenants.ScreenBlock {
		return r.worst, Blocked(r.worst)
	}
	return r.worst, nil
}

// read screens a text.
func (r *reader) read(text string) error {
	if err := r.nested(text, place{}, 0); err != nil {
		return err
	}
	return r.together()
}

// nested screens a text, or what a string of it has.
func (r *reader) nested(text string, of place, depth int) error {
	whole := depth < maxNested && isJSON(text)
	if !whole {
		if err := r.string(text, of, depth); err != nil {
			return err
		}
		if depth == maxNested || !seemsJSON(text) {
			return nil
		}
	}
	return leaves(text, func(l leaf) error {
		value := of
		if depth == 0 && !l.name {
			value = place{l.from, l.to}
		}
		return r.nested(l.text, value, depth+1)
	})
}

// string screens a string by itself, and has it read with its neighbours unless it is bad.
func (r *reader) string(text string, of place, depth int) error {
	if len(text) >= minAlone && r.alone < maxAlone {
		r.alone++
		v, err := r.screen(text, r.ask.Strange)
		if err != nil {
			return err
		}
		if strings.IndexByte(text, '\\') >= 0 {
			plain, err := r.screen(unescaped(text), r.ask.Strange)
			if err != nil {
				return err
			}
			v = worse(v, as("encoded", plain))
		}
		if v.Found() {
			r.found(v, of)
			return nil
		}
	}
	if depth == 0 {
		return nil
	}
	if len(text) <= 2*seam {
		return r.beside(neighbour{text, of})
	}
	if err := r.beside(neighbour{cut(text, seam), of}); err != nil {
		return err
	}
	if err := r.together(); err != nil {
		return err
	}
	r.near, r.size = r.near[:0], 0
	return r.beside(neighbour{cut2(text, len(text)-seam), of})
}

// beside puts a string beside those before it.
func (r *reader) beside(p neighbour) error {
	if r.size+len(p.text) > window {
		if err := r.together(); err != nil {
			return err
		}
		n := 0
		for ; n < len(r.near) && r.size > seam; n++ {
			r.size -= len(r.near[n].text) + 1
		}
		r.near = slices.Delete(r.near, 0, n)
	}
	r.near = append(r.near, p)
	r.size += len(p.text) + 1
	r.fresh = true
	return nil
}

// together screens what stands beside each other.
func (r *reader) together() error {
	if len(r.near) < 2 || !r.fresh {
		return nil
	}
	r.fresh = false
	v, err := r.joined(r.near)
	if err != nil || !v.Found() {
		return err
	}
	near, err := r.narrow()
	if err != nil {
		return err
	}
	values := slices.DeleteFunc(near, func(n neighbour) bool { return n.of == place{} })
	if len(values) == 0 {
		r.found(v, place{}) // names alone
	}
	for _, n := range values {
		r.found(v, n.of)
	}
	r.near, r.size = r.near[:0], 0
	return nil
}

// joined screens strings as one. A rule has to fit: of words that happen to stand beside each other the model knows nothing.
func (r *reader) joined(near []neighbour) (Verdict, error) {
	var all strings.Builder
	for _, n := range near {
		all.WriteString(n.text)
		all.WriteByte('\n')
	}
	v, err := r.screen(all.String(), true)
	if err != nil || !v.Found() || !ruled(v) {
		return Verdict{}, err
	}
	return as("joined", v), nil
}

// narrow is the strings of a window that are bad together, as few as it needs.
func (r *reader) narrow() (near []neighbour, err error) {
	bad := func(near []neighbour) bool {
		v, failed := r.joined(near)
		err = cmp.Or(err, failed)
		return v.Found()
	}
	all := r.near
	from := sort.Search(len(all), func(n int) bool { return !bad(all[n:]) }) - 1
	if from < 0 {
		return slices.Clone(all), err
	}
	to := from + sort.Search(len(all)-from, func(n int) bool { return bad(all[from : from+n]) })
	if !bad(all[from:to]) {
		return slices.Clone(all), err
	}
	return slices.Clone(all[from:to]), err
}

// ruled reports whether a rule found it, in disguise or without.
func ruled(v Verdict) bool {
	name := v.Rule[strings.LastIndexByte(v.Rule, ':')+1:]
	return slices.ContainsFunc(rules[:], func(r rule) bool { return r.name == name })
}

// screen asks of a text, and of a document as others wrote it, by pieces.
func (r *reader) screen(text string, strange bool) (Verdict, error) {
	a := r.ask
	if !isDocument(text) {
		a.Text, a.Strange = text, strange
		return r.filter.local.Screen(r.ctx, r.scope, a)
	}
	var worst Verdict
	for piece := range piecesOf(text) {
		a.Text, a.Strange = piece, true
		v, err := r.filter.local.Screen(r.ctx, r.scope, a)
		if err != nil {
			return Verdict{}, err
		}
		worst = worse(worst, certain(v))
	}
	return worst, nil
}

// found notes what is bad.
func (r *reader) found(v Verdict, of place) {
	r.worst = worse(r.worst, v)
	if (of == place{}) {
		r.whole = true
		return
	}
	r.bad = append(r.bad, of)
}

// shown is the text with a remark in the place of what is bad. What was JSON still is, unless nothing of it is to be shown.
func (r *reader) shown(text string) string {
	if r.whole {
		return LeftOut
	}
	slices.SortFunc(r.bad, func(a, b place) int { return a.from - b.from })
	var b strings.Builder
	at := 0
	for _, s := range slices.Compact(r.bad) {
		b.WriteString(text[at:s.from])
		b.WriteString(`"` + LeftOut + `"`)
		at = s.to
	}
	b.WriteString(text[at:])
	return b.String()
}
