package extract

import (
	"bytes"
	"encoding/csv"
	"io"
	"mime"
	"strconv"
	"strings"
	"unicode"
)

// readCSV writes each record as lines "column: value" with a blank line behind it, so that a piece of the text says of
// each value what it is. A table that cannot be read, or would become too long, stays as it is.
func readCSV(reserve, text []byte, contentType string) Text {
	asItIs := Text{Body: text, ContentType: lines}
	comma := delimiter(text, contentType)
	if tooWide(text, comma) {
		return asItIs
	}
	size := 0
	err := eachRecord(text, comma, func(columns, record []string) bool {
		size += written(columns, record)
		return size <= MaxText
	})
	if err != nil || size == 0 || size > MaxText { // nothing but a header
		return asItIs
	}
	out := bytes.NewBuffer(roomFor(reserve, size))
	_ = eachRecord(text, comma, func(columns, record []string) bool {
		writeRecord(out, columns, record)
		return true
	})
	return Text{Body: out.Bytes(), ContentType: lines}
}

// eachRecord reads the records below the header, if there is one, until use has enough.
func eachRecord(text []byte, comma rune, use func(columns, record []string) bool) error {
	r := csv.NewReader(bytes.NewReader(text))
	r.Comma = comma
	r.LazyQuotes, r.FieldsPerRecord, r.ReuseRecord = true, -1, true
	var columns []string
	for n := 0; ; n++ {
		record, err := r.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if n == 0 {
			if columns = header(record); columns != nil {
				continue
			}
		}
		if !use(columns, record) {
			return nil
		}
	}
}

// maxColumns is how many fields a record may have. A reader holds all of one.
const maxColumns = 50_000

// tooWide reports whether a record may have more than maxColumns fields. A line feed between quotes ends no record.
func tooWide(text []byte, comma rune) bool {
	fields, quoted := 0, false
	for _, c := range text {
		switch {
		case c == '"':
			quoted = !quoted
		case c == '\n' && !quoted:
			fields = 0
		case rune(c) == comma:
			if fields++; fields > maxColumns {
				return true
			}
		}
	}
	return false
}

// written is how long a record becomes at most.
func written(columns, record []string) (n int) {
	for i, value := range record {
		if value == "" {
			continue
		}
		name := len("column ") + 5 // digits: see maxColumns
		if i < len(columns) && columns[i] != "" {
			name = len(columns[i])
		}
		n += name + len(": ") + len(value) + 1
	}
	if n > 0 {
		n++
	}
	return n
}

func writeRecord(out *bytes.Buffer, columns, record []string) {
	wrote := false
	for i, value := range record {
		value = unbroken(value)
		if value == "" {
			continue
		}
		if i < len(columns) && columns[i] != "" {
			out.WriteString(columns[i])
		} else {
			out.WriteString("column " + strconv.Itoa(i+1))
		}
		out.WriteString(": ")
		out.WriteString(value)
		out.WriteByte('\n')
		wrote = true
	}
	if wrote {
		out.WriteByte('\n')
	}
}

// unbroken is a value without the blank lines that would end its record.
func unbroken(value string) string {
	value = strings.TrimSpace(value)
	if !strings.ContainsAny(value, "\r\n") {
		return value
	}
	var lines []string
	for line := range strings.Lines(strings.ReplaceAll(value, "\r", "\n")) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// header is the names of the columns if a first record can be that: names, all different, none of them a number.
func header(record []string) []string {
	names := make([]string, len(record))
	seen := map[string]bool{}
	for i, f := range record {
		f = oneLine(f, 100)
		lower := strings.ToLower(f)
		if f == "" && i > 0 || f != "" && (seen[lower] || !strings.ContainsFunc(f, unicode.IsLetter)) {
			return nil
		}
		if _, err := strconv.ParseFloat(f, 64); err == nil {
			return nil
		}
		seen[lower] = true
		names[i] = f
	}
	return names
}

// delimiter is what the content type says, or what divides the first records into the most equal numbers of fields.
func delimiter(text []byte, contentType string) rune {
	if media, _, _ := mime.ParseMediaType(contentType); media == "text/tab-separated-values" {
		return '\t'
	}
	best, most := ',', 0
	for _, c := range []rune{',', ';', '\t', '|'} {
		r := csv.NewReader(bytes.NewReader(text[:min(len(text), 64<<10)]))
		r.Comma, r.LazyQuotes, r.FieldsPerRecord, r.ReuseRecord = c, true, -1, true
		fields, same := 0, 0
		for range 20 {
			record, err := r.Read()
			if err != nil {
				break
			}
			if fields == 0 {
				fields = len(record)
			}
			if len(record) == fields {
				same++
			} else {
				same--
			}
		}
		if score := (fields - 1) * max(same, 0); score > most {
			best, most = c, score
		}
	}
	return best
}
