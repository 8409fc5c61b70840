package answer

import (
	"strings"

	"levada.dev/workflows/rag"
)

// Review holds what a model says against its sources, while it comes. It belongs to one goroutine.
type Review struct {
	evidence *Evidence // nil until something is checked
	sources  []rag.Source
	drop     bool

	said    strings.Builder
	pending string // of what was said, what is not a whole sentence yet, where sentences are held
	ripe    bool   // there may be a whole one in it
	looked  int    // how much of it was there when a whole one was last looked for in vain
	kept    []judged
	written strings.Builder // where sentences are held: what was told
}

// Reviewed is what came of it.
type Reviewed struct {
	// Text is what was said, with the markers of sources that there are, and those that the check has found; where what no source says is
	// left out, it is what was told.
	Text      string
	Citations []Citation // of Text's sentences, in their order
	Claims    int        // sentences that say something
	Supported int        // of them, those that a source says
}

// NewReview begins to check an answer whose markers count the sources from 1. With drop, what no source says is left out.
func NewReview(sources []rag.Source, drop bool) *Review {
	return &Review{sources: sources[:min(len(sources), maxSources)], drop: drop}
}

// Take takes the next piece of what is said, and returns what may be told now: that piece, or, where what no source says is left out,
// the sentences that are whole by now and that one says.
func (r *Review) Take(piece string) string {
	if !r.drop {
		r.said.WriteString(piece)
		return piece
	}
	r.pending += piece
	if r.ripe = r.ripe || strings.ContainsAny(piece, ends); r.ripe && (len(r.pending) <= short || len(r.pending)-r.looked > r.looked/patience) {
		return r.release(false)
	}
	return ""
}

const (
	// short is how long what is pending may be to be looked at with each piece.
	short = 512
	// patience is the part of it by which it must have grown beyond that, so that a sentence without an end, but with points in it, is read
	// a number of times that does not grow with it.
	patience = 16
)

// Pause returns what may be told of what was said until now, which goes on with another sentence.
func (r *Review) Pause() string {
	if !r.drop {
		return ""
	}
	return r.release(true)
}

// End is called once, when nothing more is said. The rest is what may be told beyond what Take has returned. Of an answer that is not whole,
// but was broken off, that is nothing: half a sentence may say what the whole one does not.
func (r *Review) End(whole bool) (rest string, out Reviewed) {
	if r.drop {
		if whole {
			rest = r.release(true)
		}
		out.Text = r.written.String()
	} else {
		said := r.said.String()
		r.kept = r.judge(Sentences(said), said)
		var b strings.Builder
		for i := range r.kept {
			b.WriteString(r.kept[i].write(said, len(r.sources), false))
		}
		out.Text = b.String()
	}
	out.Citations = []Citation{}
	for i := range r.kept {
		j := &r.kept[i]
		if j.claims {
			out.Claims++
		}
		if j.claims && j.supported {
			out.Supported++
		}
		if !r.drop || j.supported {
			out.Citations = append(out.Citations, j.citations...)
		}
	}
	return rest, out
}

// ends is what a sentence may end with.
const ends = ".!?\n。！？।؟…"

// release lets the sentences go that are whole: all but the last one, behind which a marker may still come, until the end.
func (r *Review) release(all bool) string {
	sentences := Sentences(r.pending)
	if !all {
		r.looked = len(r.pending)
		if len(sentences) < 2 {
			return ""
		}
		last := sentences[len(sentences)-1]
		if strings.Trim(last.Claim(r.pending), " \n\t[【") == "" {
			return ""
		}
		sentences = sentences[:len(sentences)-1]
	}
	told := ""
	for _, j := range r.judge(sentences, r.pending) {
		r.kept = append(r.kept, j)
		if !j.claims || j.supported {
			told += j.write(r.pending, len(r.sources), true)
		}
	}
	r.written.WriteString(told)
	if n := len(sentences); n > 0 {
		r.pending = r.pending[sentences[n-1].To:]
		r.ripe, r.looked = strings.ContainsAny(r.pending, ends), 0
	}
	return told
}

func (r *Review) judge(sentences []Sentence, text string) []judged {
	if r.evidence == nil {
		r.evidence = Prepare(r.sources)
	}
	out := make([]judged, len(sentences))
	for i, s := range sentences {
		out[i] = judge(r.evidence, r.sources, s, text)
	}
	return out
}
