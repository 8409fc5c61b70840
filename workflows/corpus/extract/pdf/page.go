package pdf

import (
	"math"
)

const (
	maxForms  = 12        // forms within forms
	maxDrawn  = 5_000     // forms of a page
	maxGlyphs = 4_000_000 // of a page
	maxStates = 512       // saved states
	maxFonts  = 64        // that are kept
	maxCodes  = 300_000   // of them that are known
)

// matrix is [a b c d e f] of a transformation.
type matrix [6]float64

var identity = matrix{1, 0, 0, 1, 0, 0}

// times is m followed by n.
func (m matrix) times(n matrix) matrix {
	return matrix{
		m[0]*n[0] + m[1]*n[2], m[0]*n[1] + m[1]*n[3],
		m[2]*n[0] + m[3]*n[2], m[2]*n[1] + m[3]*n[3],
		m[4]*n[0] + m[5]*n[2] + n[4], m[4]*n[1] + m[5]*n[3] + n[5],
	}
}

// state is the part of the graphics state that text depends on.
type state struct {
	ctm                             matrix
	font                            *font
	size, char, word, leading, rise float64
	horizontal                      float64
}

// page draws what is on a page into a layout.
type page struct {
	*file
	layout *layout
	state
	saved  []state
	tm     matrix // of text
	line   matrix // of the line
	forms  int    // that have been drawn
	glyphs int
}

// draw runs the operators of a content with its resources.
func (p *page) draw(content []byte, resources dict, depth int) {
	l := &lexer{b: content}
	var args array
	for {
		o := l.next()
		k, ok := o.(keyword)
		if !ok {
			if len(args) < 64 {
				args = append(args, o)
			}
			continue
		}
		if k == end || p.full() {
			return
		}
		if k == "BI" {
			p.skipImage(l)
		} else {
			p.operate(k, args, resources, depth)
		}
		args, l.held = args[:0], 0
	}
}

// full reports whether there is more on a page than is read.
func (p *page) full() bool { return p.glyphs > maxGlyphs || p.layout.out.Len() > maxStream }

// skipImage passes the bytes of a picture that stands in the content.
func (p *page) skipImage(l *lexer) {
	for {
		o := l.next()
		if o == end {
			return
		}
		if o == keyword("ID") {
			break
		}
	}
	for i := l.pos; i+2 < len(l.b); i++ {
		if l.b[i] == 'E' && l.b[i+1] == 'I' && space(l.b[i+2]) && i > 0 && space(l.b[i-1]) {
			l.pos = i + 2
			return
		}
	}
	l.pos = len(l.b)
}

func num(args array, i int) float64 {
	if i < len(args) {
		n, _ := args[i].(float64)
		return n
	}
	return 0
}

func matrixOf(args array) matrix {
	var m matrix
	for i := range m {
		m[i] = num(args, i)
	}
	return m
}

func (p *page) operate(k keyword, args array, resources dict, depth int) {
	switch k {
	case "q":
		if len(p.saved) < maxStates {
			p.saved = append(p.saved, p.state)
		}
	case "Q":
		if n := len(p.saved); n > 0 {
			p.state, p.saved = p.saved[n-1], p.saved[:n-1]
		}
	case "cm":
		p.ctm = matrixOf(args).times(p.ctm)
	case "BT":
		p.tm, p.line = identity, identity
	case "Tf":
		if len(args) >= 2 {
			p.font, p.size = p.fontOf(resources, args[0]), num(args, 1)
		}
	case "Tc":
		p.char = num(args, 0)
	case "Tw":
		p.word = num(args, 0)
	case "Tz":
		p.horizontal = num(args, 0) / 100
	case "TL":
		p.leading = num(args, 0)
	case "Ts":
		p.rise = num(args, 0)
	case "Td":
		p.move(num(args, 0), num(args, 1))
	case "TD":
		p.leading = -num(args, 1)
		p.move(num(args, 0), num(args, 1))
	case "Tm":
		p.tm = matrixOf(args)
		p.line = p.tm
	case "T*":
		p.move(0, -p.leading)
	case "Tj":
		p.show(args, 0)
	case "'":
		p.move(0, -p.leading)
		p.show(args, 0)
	case "\"":
		p.word, p.char = num(args, 0), num(args, 1)
		p.move(0, -p.leading)
		p.show(args, 2)
	case "TJ":
		if len(args) > 0 {
			p.showAll(args[0])
		}
	case "Do":
		if len(args) > 0 {
			p.form(resources, args[0], depth)
		}
	}
}

func (p *page) move(x, y float64) {
	p.line = matrix{1, 0, 0, 1, x, y}.times(p.line)
	p.tm = p.line
}

func (p *page) show(args array, i int) {
	if i < len(args) {
		if s, ok := args[i].(text); ok {
			p.string(string(s))
		}
	}
}

func (p *page) showAll(o any) {
	all, _ := o.(array)
	for _, o := range all {
		switch o := o.(type) {
		case text:
			p.string(string(o))
		case float64:
			p.advance(-o / 1000 * p.size * p.horizontal)
		}
	}
}

func (p *page) advance(x float64) { p.tm = matrix{1, 0, 0, 1, x, 0}.times(p.tm) }

// string lays the glyphs of a string out.
func (p *page) string(s string) {
	if p.font == nil {
		return
	}
	p.font.each(s, func(g glyph) {
		if p.glyphs++; p.full() {
			return
		}
		at := matrix{p.size * p.horizontal, 0, 0, p.size, 0, p.rise}.times(p.tm).times(p.ctm)
		width := g.width / 1000
		p.layout.put(g.text, at, width)
		step := width*p.size + p.char
		if g.space {
			step += p.word
		}
		p.advance(step * p.horizontal)
	})
}

// fontOf is a font of the resources; it is kept for other pages.
func (p *page) fontOf(resources dict, o any) *font {
	n, _ := o.(name)
	found := p.dict(resources["Font"])[n]
	r, shared := found.(ref)
	if t, ok := p.fonts[r.number]; ok && shared {
		return t
	}
	d := p.dict(found)
	if d == nil {
		return nil
	}
	t := p.newFont(d)
	if !shared {
		return t
	}
	if p.codes += t.codes(); len(p.fonts) >= maxFonts || p.codes > maxCodes {
		clear(p.fonts)
		p.codes = t.codes()
	}
	p.fonts[r.number] = t
	return t
}

// form draws what several pages may share.
func (p *page) form(resources dict, o any, depth int) {
	n, _ := o.(name)
	s, ok := p.resolve(p.dict(resources["XObject"])[n]).(*stream)
	if !ok || p.name(s.dict["Subtype"]) != "Form" || depth >= maxForms {
		return
	}
	if p.forms++; p.forms > maxDrawn {
		return
	}
	b, err := p.decode(s)
	if err != nil {
		return
	}
	kept, keptSaved := p.state, p.saved
	p.saved = nil
	if m := p.array(s.dict["Matrix"]); len(m) == 6 {
		p.ctm = matrixOf(m).times(p.ctm)
	}
	inner := p.dict(s.dict["Resources"])
	if inner == nil {
		inner = resources
	}
	p.draw(b, inner, depth+1)
	p.state, p.saved = kept, keptSaved
}

func length(x, y float64) float64 { return math.Hypot(x, y) }
