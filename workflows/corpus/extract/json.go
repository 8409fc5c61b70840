package extract

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
)

// readJSON writes each value on a line behind its path, "orders[3].customer.name: Ada", so that a piece of the text says
// of each value what it is. Elements of a list of objects are paragraphs, and so are the values of a text of several, such
// as JSON lines. What is not JSON, or would become too long, stays as it is.
func readJSON(reserve, text []byte) Text {
	var o outline
	if err := o.read(text); err != nil {
		return Text{Body: text, ContentType: lines}
	}
	o = outline{out: roomFor(reserve, o.size)}
	_ = o.read(text) // which has no mistake
	return Text{Body: o.out, ContentType: lines}
}

// maxNesting is how deep a value may lie to be written out; it keeps the paths, and with them the text, short.
const maxNesting = 32

var errOutline = errors.New("too long or too deep to be written out")

// outline reads JSON token by token and writes lines, or counts what it would write.
type outline struct {
	dec   *json.Decoder
	out   []byte // as long as it has room, which is at first none
	size  int    // of all that is written
	ended int    // how many line feeds are at its end
}

// read writes all values of a text.
func (o *outline) read(text []byte) error {
	o.dec = json.NewDecoder(bytes.NewReader(text))
	o.dec.UseNumber()
	for {
		tok, err := o.dec.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		o.paragraph()
		if err := o.value(tok, "", 0); err != nil {
			return err
		}
	}
}

// value writes the value that begins with tok; depth counts what it lies in.
func (o *outline) value(tok json.Token, path string, depth int) error {
	if depth > maxNesting || o.size > MaxText {
		return errOutline
	}
	switch tok {
	case json.Delim('{'):
		return o.object(path, depth)
	case json.Delim('['):
		return o.list(path, depth)
	}
	if v := unbroken(scalar(tok)); v != "" {
		o.begin(path)
		o.write(v, "\n")
	}
	if o.size > MaxText {
		return errOutline
	}
	return nil
}

func (o *outline) object(path string, depth int) error {
	if path != "" {
		path += "."
	}
	for o.dec.More() {
		key, err := o.dec.Token()
		if err != nil {
			return err
		}
		tok, err := o.dec.Token()
		if err != nil {
			return err
		}
		name, _ := key.(string)
		if err := o.value(tok, path+oneLine(name, 200), depth+1); err != nil {
			return err
		}
	}
	_, err := o.dec.Token()
	return err
}

// list writes its elements. Plain values that follow each other share a line.
func (o *outline) list(path string, depth int) error {
	row := false // a line of plain values has begun
	for i := 0; o.dec.More(); i++ {
		tok, err := o.dec.Token()
		if err != nil {
			return err
		}
		if _, nested := tok.(json.Delim); !nested {
			v := unbroken(scalar(tok))
			switch {
			case v == "":
				continue
			case row:
				o.write(", ")
			default:
				o.begin(path)
			}
			row = true
			if o.write(v); o.size > MaxText {
				return errOutline
			}
			continue
		}
		if row {
			o.write("\n")
		}
		row = false
		if tok == json.Delim('{') {
			o.paragraph()
		}
		if err := o.value(tok, path+"["+strconv.Itoa(i)+"]", depth+1); err != nil {
			return err
		}
	}
	if row {
		o.write("\n")
	}
	_, err := o.dec.Token()
	return err
}

// paragraph begins a paragraph, unless one has just begun.
func (o *outline) paragraph() {
	if o.size > 0 && o.ended < 2 {
		o.write("\n")
	}
}

// begin begins a line.
func (o *outline) begin(path string) {
	if path != "" {
		o.write(path, ": ")
	}
}

func (o *outline) write(all ...string) {
	for _, s := range all {
		o.size += len(s)
		if o.out != nil {
			o.out = append(o.out, s...)
		}
		kept := strings.TrimRight(s, "\n")
		if kept != "" {
			o.ended = 0
		}
		o.ended += len(s) - len(kept)
	}
}

func scalar(tok json.Token) string {
	switch v := tok.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return "" // null
}
