package chunk

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// prose takes plain text: paragraphs, which blank lines divide, and their sentences. The first paragraph is at level l.
func (p *packer) prose(start, end int, l level) {
	from := start
	for i := start; i < end; {
		next := p.line(i, end)
		if blank(p.text[i:next]) && i > from {
			p.sentences(from, i, l)
			from, l = next, max(l, levelBlock)
		}
		i = next
	}
	p.sentences(from, end, l)
}

// line is the end of the line that begins at i, behind its newline.
func (p *packer) line(i, end int) int {
	if k := bytes.IndexByte(p.text[i:end], '\n'); k >= 0 {
		return i + k + 1
	}
	return end
}

func blank(line []byte) bool {
	for _, c := range line {
		if c != ' ' && (c < '\t' || c > '\r') {
			return false
		}
	}
	return true
}

// sentences takes a paragraph. The first sentence is at level l.
func (p *packer) sentences(start, end int, l level) {
	from := start
	for i := start; i < end; {
		c := p.text[i]
		if c < utf8.RuneSelf && c != '.' && c != '!' && c != '?' {
			i++
			continue
		}
		r, n := utf8.DecodeRune(p.text[i:end])
		i += n
		if !ends(r) {
			continue
		}
		next, ok := p.sentenceEnd(i, end, r)
		if ok && p.cuttable(from, next, end) {
			p.add(from, next, l)
			from, l = next, levelSentence
		}
		i = next
	}
	p.add(from, end, l)
}

// cuttable reports whether the two parts may stand alone: the first without the white space at its end.
func (p *packer) cuttable(from, next, end int) bool {
	if next >= end || !boundary(p.text, next) {
		return next >= end
	}
	_, last := p.trim(from, next)
	return boundary(p.text, last)
}

func ends(r rune) bool {
	switch r {
	case '.', '!', '?', '…', '。', '！', '？', '｡', '।', '॥', '؟', '۔', '።':
		return true
	}
	return false
}

// sentenceEnd follows an end mark: closing quotes and brackets, white space, and then something that can begin
// a sentence. It returns where that begins. Ideographic marks need no white space.
func (p *packer) sentenceEnd(i, end int, stop rune) (int, bool) {
	for i < end {
		r, n := utf8.DecodeRune(p.text[i:end])
		if !ends(r) && !unicode.In(r, unicode.Pe, unicode.Pf) && r != '"' && r != '\'' {
			break
		}
		i += n
	}
	behind := i
	for i < end {
		r, n := utf8.DecodeRune(p.text[i:end])
		if !unicode.IsSpace(r) {
			break
		}
		i += n
	}
	if i == behind {
		return i, stop >= 0x3000 && i < end
	}
	if i == end {
		return i, false
	}
	r, _ := utf8.DecodeRune(p.text[i:end])
	return i, !unicode.IsLower(r)
}

// code takes source text line by line: what follows a blank line and is not indented begins a block. The first line is
// at level l.
func (p *packer) code(start, end int, l level) {
	afterBlank := true
	for i := start; i < end; {
		next := p.line(i, end)
		line := p.text[i:next]
		switch {
		case blank(line):
			afterBlank = true
		default:
			p.codeLine(i, next, max(l, codeLevel(line, afterBlank)))
			afterBlank, l = false, 0
		}
		i = next
	}
}

func codeLevel(line []byte, afterBlank bool) level {
	switch {
	case afterBlank && line[0] != ' ' && line[0] != '\t' && line[0] != '}' && line[0] != ')' && line[0] != ']':
		return levelBlock
	case afterBlank:
		return levelItem
	}
	return levelSentence
}

// codeLine takes one line with its indentation.
func (p *packer) codeLine(start, end int, l level) {
	_, last := p.trim(start, end)
	if tokens := Tokens(p.text[start:last]); tokens <= p.o.MaxTokens && boundary(p.text, start) {
		gap := Tokens(p.text[min(p.at, start):last]) - tokens // white space that is one with the indentation
		p.push(atom{start, last, tokens, l, p.section}, gap)
		return
	}
	p.add(start, end, l)
}

// whole takes a part as one atom if it fits into a piece, and by lines if not. The first line is at level l, and
// keeps its indentation.
func (p *packer) whole(start, end int, l level) {
	if _, last := p.trim(start, end); Tokens(p.text[start:last]) <= p.o.MaxTokens {
		p.codeLine(start, end, l)
		return
	}
	p.code(start, end, l)
}
