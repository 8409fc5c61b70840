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
func readJSON(text []byte) Text {
	o := &outline{dec: json.NewDecoder(bytes.NewReader(text))}
	o.dec.UseNumber()
	o.out.Grow(min(3*len(text)/2, MaxText)) // what it grows by doubling is in memory three times
	for {
		tok, err := o.dec.Token()
		if err == io.EOF {
			return Text{Body: o.out.Bytes(), ContentType: lines}
		}
		if err == nil {
			o.paragraph()
			err = o.value(tok, "", 0)
		}
		if err != nil {
			return Text{Body: text, ContentType: lines}
		}
	}
}

// maxNesting is how deep a value may lie to be written out; it keeps the paths, and with them the text, short.
const maxNesting = 32

var errOutline = errors.New("too long or too deep to be written out")

// outline reads JSON token by token and writes lines.
type outline struct {
	dec *json.Decoder
	out bytes.Buffer
}

// value writes the value that begins with tok; depth counts what it lies in.
func (o *outline) value(tok json.Token, path string, depth int) error {
	if depth > maxNesting {
		return errOutline
	}
	switch tok {
	case json.Delim('{'):
		return o.object(path, depth)
	case json.Delim('['):
		return o.list(path, depth)
	}
	v := scalar(tok)
	if o.out.Len()+len(path)+len(": \n\n")+len(v) > MaxText {
		return errOutline
	}
	o.line(path, v)
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
	var row []string
	for i := 0; o.dec.More(); i++ {
		tok, err := o.dec.Token()
		if err != nil {
			return err
		}
		if _, nested := tok.(json.Delim); !nested {
			if v := scalar(tok); v != "" {
				row = append(row, v)
			}
			continue
		}
		o.line(path, strings.Join(row, ", "))
		row = nil
		if tok == json.Delim('{') {
			o.paragraph()
		}
		if err := o.value(tok, path+"["+strconv.Itoa(i)+"]", depth+1); err != nil {
			return err
		}
	}
	o.line(path, strings.Join(row, ", "))
	_, err := o.dec.Token()
	return err
}

// paragraph begins a paragraph, unless one has just begun.
func (o *outline) paragraph() {
	if b := o.out.Bytes(); len(b) > 0 && !bytes.HasSuffix(b, []byte("\n\n")) {
		o.out.WriteByte('\n')
	}
}

func (o *outline) line(path, value string) {
	value = unbroken(value)
	if value == "" {
		return
	}
	if path != "" {
		o.out.WriteString(path)
		o.out.WriteString(": ")
	}
	o.out.WriteString(value)
	o.out.WriteByte('\n')
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
