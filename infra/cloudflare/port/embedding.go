package port

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

const (
	// maxNumber is the most bytes that a number takes, "-1.2345678901234567e-308" and what stands around it, with some to spare.
	maxNumber = 32
	// maxAround is the most bytes that stand around the vectors, or that a refusal takes.
	maxAround = 64 << 10
)

// readAnswer reads a model's answer for so many texts, and no more than such an answer can have.
func readAnswer(r io.Reader, texts, dimensions int) ([]byte, error) {
	return io.ReadAll(io.LimitReader(r, int64(texts)*int64(dimensions)*maxNumber+maxAround))
}

// vectors reads the data of an embedding model's answer, {"shape":[n,d],"data":[[...],...],...}.
//
// It is a scanner of its own because encoding/json takes most of the consumer's CPU for it: an answer for 100
// texts holds 100,000 numbers. The numbers are parsed in place, and the rest of the answer is skipped.
func vectors(body []byte, texts, dimensions int) ([][]float32, error) {
	i := bytes.Index(body, []byte(`"data"`))
	if i < 0 {
		return nil, errors.New("no data")
	}
	p := numbers{b: body, i: i + len(`"data"`)}
	p.skip(':')
	p.skip('[')
	flat := make([]float32, texts*dimensions)
	out := make([][]float32, texts)
	for t := range out {
		if t > 0 {
			p.skip(',')
		}
		p.skip('[')
		v := flat[t*dimensions : (t+1)*dimensions : (t+1)*dimensions]
		for d := range v {
			if d > 0 {
				p.skip(',')
			}
			v[d] = p.float()
		}
		p.skip(']')
		out[t] = v
	}
	p.skip(']')
	if p.err != nil {
		return nil, fmt.Errorf("%d texts of %d dimensions: %w", texts, dimensions, p.err)
	}
	return out, nil
}

// numbers walks over JSON arrays of numbers; the first error stays.
type numbers struct {
	b   []byte
	i   int
	err error
}

// skip passes white space and the byte c.
func (p *numbers) skip(c byte) {
	p.space()
	if p.err == nil && (p.i >= len(p.b) || p.b[p.i] != c) {
		p.err = fmt.Errorf("want %q at byte %d", c, p.i)
	}
	p.i++
}

func (p *numbers) space() {
	for p.i < len(p.b) && (p.b[p.i] == ' ' || p.b[p.i] == '\n' || p.b[p.i] == '\r' || p.b[p.i] == '\t') {
		p.i++
	}
}

func (p *numbers) float() float32 {
	p.space()
	start := p.i
	for p.i < len(p.b) {
		if c := p.b[p.i]; c >= '0' && c <= '9' || c == '-' || c == '.' || c == 'e' || c == 'E' || c == '+' {
			p.i++
			continue
		}
		break
	}
	if p.err != nil || start >= p.i {
		if p.err == nil {
			p.err = fmt.Errorf("want a number at byte %d", start)
		}
		return 0
	}
	text := p.b[start:p.i]
	f, err := strconv.ParseFloat(string(text), 32)
	if err != nil {
		p.err = fmt.Errorf("number at byte %d: %w", start, err)
	}
	return float32(f)
}
