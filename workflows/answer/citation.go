package answer

import (
	"slices"
	"strconv"
	"strings"

	"levada.dev/workflows/rag"
)

// Citation says what a sentence of an answer rests on.
type Citation struct {
	Marker    int    `json:"marker"`          // the number in the answer; 0 where nothing supports the sentence and it cites nothing
	Source    string `json:"source"`          // the chunk's id; "" where there is none
	DocID     string `json:"docId,omitempty"` // its document
	Quote     string `json:"quote"`           // the words of the source that come nearest
	Start     int    `json:"start"`           // where they stand: bytes of the document's stored text
	End       int    `json:"end"`
	Supported bool   `json:"supported"` // they say what the sentence says
	Sentence  string `json:"sentence"`  // without its markers
}

// judged is a sentence of an answer with what came of the check.
type judged struct {
	Sentence
	citations []Citation
	claims    bool // it says something, and does not only ask
	supported bool
}

// judge holds a sentence of a text against the sources. A question claims nothing, but an address in it is loaded as any other.
func judge(e *Evidence, sources []rag.Source, s Sentence, text string) judged {
	j := judged{Sentence: s}
	claim := s.Claim(text)
	asks := strings.HasSuffix(claim, "?") && len(addresses(claim)) == 0
	if j.claims = e.Says(claim) && !asks; j.claims || len(s.Markers) > 0 {
		j.cite(e, sources, claim)
	}
	return j
}

// cite checks the sources that a sentence names. Where none of them says it, the one that does is named as well.
func (j *judged) cite(e *Evidence, sources []rag.Source, claim string) {
	for _, number := range j.Markers {
		v := e.Check(claim, number-1)
		j.citations = append(j.citations, citation(e, sources, number, v, claim))
		j.supported = j.supported || v.Supported
	}
	if j.supported || !j.claims {
		return
	}
	switch best := e.Best(claim); {
	case best.Supported:
		j.supported = true
		j.citations = append(j.citations, citation(e, sources, best.Source+1, best, claim))
	case len(j.citations) == 0:
		j.citations = append(j.citations, citation(e, sources, 0, best, claim))
	}
}

func citation(e *Evidence, sources []rag.Source, number int, v Verdict, claim string) Citation {
	c := Citation{Marker: number, Supported: v.Supported, Sentence: claim}
	if v.Source >= 0 && v.To > v.From {
		c.Quote, c.Start, c.End = e.Quote(v)
		c.Source, c.DocID = sources[v.Source].ChunkID, sources[v.Source].DocID
	} else if v.Source >= 0 && number > 0 {
		c.Source, c.DocID = sources[v.Source].ChunkID, sources[v.Source].DocID
	}
	return c
}

// write is the sentence as the answer has it: with the markers of sources that there are, and those that the check found. Where only what is
// supported stays, so do the markers.
func (j *judged) write(text string, sources int, drop bool) string {
	own := text[j.From:j.To]
	written := withoutMarkers(own, func(number int) bool {
		if number < 1 || number > sources {
			return false
		}
		return !drop || slices.ContainsFunc(j.citations, func(c Citation) bool { return c.Marker == number && c.Supported })
	})
	for _, c := range j.citations {
		if c.Supported && !slices.Contains(j.Markers, c.Marker) {
			body := strings.TrimRight(written, " \n\t")
			written = body + " " + bracketed(c.Marker) + written[len(body):]
		}
	}
	return written
}

// bracketed is a marker as answers have it.
func bracketed(number int) string { return "[" + strconv.Itoa(number) + "]" }
