package extract

import (
	"encoding/xml"
	"io"
	"strings"

	"levada.dev/workflows/corpus/markup"
)

// writer makes Markdown of the markup that Word and PowerPoint share: paragraphs (p) of texts (t), and tables (tbl) of
// rows (tr) of cells (tc).
type writer struct {
	out      pieces
	headings map[string]int // rank by style

	size    int             // of what was read and may be in memory
	shape   int             // rank of the paragraphs of the shape that is open
	text    strings.Builder // of the paragraph that is open
	rank    int             // of it, when it is a heading
	level   int             // of it, when it is an item of a list: 1 for the outermost
	inText  bool
	hidden  int // deleted text, and what is there twice for old programs
	tables  int // how many are open; the outermost is written
	rows    int
	row     []string
	cell    strings.Builder
	wasItem bool // the last paragraph was an item
}

// read takes the tokens of a part. Nothing is looked up and no entity but XML's own is known, so the text is no longer than
// the markup.
func (w *writer) read(dec *markup.Decoder) error {
	for {
		tok, err := dec.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		switch t := tok.(type) {
		case xml.StartElement:
			w.start(t)
		case xml.EndElement:
			w.end(t.Name.Local)
		case xml.CharData:
			if w.inText && w.hidden == 0 {
				w.text.Write(t)
				w.size += len(t)
			}
		}
		if w.size > MaxText || w.out.size > MaxText {
			return expands()
		}
	}
}

// cell is what a cell of a table takes, beside its text.
const cell = 16

func (w *writer) start(e xml.StartElement) {
	switch e.Name.Local {
	case "del", "moveFrom", "Fallback":
		w.hidden++
	case "p":
		w.rank, w.level = w.shape, 0
	case "pStyle":
		w.rank = w.headings[attr(e, "val")]
	case "outlineLvl":
		if n := attr(e, "val"); len(n) == 1 && n[0] >= '0' && n[0] < '9' {
			w.rank = min(int(n[0]-'0')+1, 6)
		}
	case "ph":
		if kind := attr(e, "type"); kind == "title" || kind == "ctrTitle" {
			w.shape = 3
		}
	case "sp":
		w.shape = 0
	case "numPr":
		w.level = max(w.level, 1)
	case "ilvl":
		if n := attr(e, "val"); len(n) == 1 && n[0] >= '0' && n[0] <= '8' {
			w.level = int(n[0]-'0') + 1
		}
	case "t":
		w.inText = true
	case "tab":
		if w.hidden == 0 {
			w.text.WriteByte('\t')
		}
	case "br", "cr":
		if w.hidden == 0 {
			w.text.WriteByte(' ')
		}
	case "tbl":
		if w.tables++; w.tables == 1 {
			w.rows = 0
		}
	}
}

func (w *writer) end(name string) {
	switch name {
	case "del", "moveFrom", "Fallback":
		w.hidden = max(0, w.hidden-1)
	case "t":
		w.inText = false
	case "sp":
		w.shape = 0
	case "p":
		w.endParagraph()
	case "tc":
		if w.tables == 1 {
			w.row = append(w.row, strings.ReplaceAll(oneLine(w.cell.String(), MaxText), "|", "\\|"))
			w.cell.Reset()
			w.size += cell
		}
	case "tr":
		if w.tables == 1 {
			w.endRow()
		}
	case "tbl":
		if w.tables = max(0, w.tables-1); w.tables == 0 {
			w.out.WriteString("\n")
		}
	}
}

func (w *writer) endParagraph() {
	text := strings.Join(strings.FieldsFunc(w.text.String(), func(r rune) bool { return r == '\n' || r == '\r' }), " ")
	w.text.Reset()
	if strings.TrimSpace(text) == "" {
		return
	}
	if w.tables > 0 {
		if w.cell.Len() > 0 {
			w.cell.WriteByte(' ')
		}
		w.cell.WriteString(text)
		return
	}
	switch {
	case w.rank > 0:
		w.paragraph(strings.Repeat("#", w.rank) + " " + strings.TrimSpace(text))
	case w.level > 0:
		w.out.WriteString(strings.Repeat("  ", w.level-1) + "- " + strings.TrimSpace(text) + "\n")
		w.wasItem = true
	default:
		w.paragraph(text)
	}
}

// paragraph writes a block, apart from what stands before it.
func (w *writer) paragraph(text string) {
	if w.wasItem {
		w.out.WriteString("\n")
		w.wasItem = false
	}
	w.out.WriteString(text)
	w.out.WriteString("\n\n")
}

func (w *writer) endRow() {
	if w.wasItem {
		w.out.WriteString("\n")
		w.wasItem = false
	}
	w.out.WriteString("| " + strings.Join(w.row, " | ") + " |\n")
	if w.rows == 0 {
		w.out.WriteString("|" + strings.Repeat(" --- |", len(w.row)) + "\n")
	}
	w.rows++
	w.row = w.row[:0]
}
