package chat

import (
	"encoding/json"

	"levada.dev/workflows/answer"
	"levada.dev/workflows/rag"
)

// check holds what a model says against the sources that it was shown, as it comes. A nil one lets everything through.
type check struct {
	review    *answer.Review
	grounding *Grounding
	question  string
	over      bool
	citations json.RawMessage // a list, when it is over
}

// cited is the data of a Citations event.
type cited struct {
	Citations json.RawMessage `json:"citations"`
}

func newCheck(sources []rag.Source, r Request) *check {
	return &check{review: answer.NewReview(sources, r.Grounding.Drop), grounding: r.Grounding, question: r.question(), citations: json.RawMessage("[]")}
}

// take takes the next piece of what is said, and returns what may be told now.
func (c *check) take(piece string) string {
	if c == nil || piece == "" {
		return piece
	}
	c.over = true // should it panic: then it is not asked again
	told := c.review.Take(piece)
	c.over = false
	return told
}

// pause returns what may still be told of what was said before tools are called.
func (c *check) pause() string {
	if c == nil || c.over {
		return ""
	}
	c.over = true
	told := c.review.Pause()
	c.over = false
	return told
}

// end makes the citations, and returns what may still be told of an answer that is whole. Only the first call does.
func (c *check) end(whole bool) string {
	if c == nil || c.over {
		return ""
	}
	c.over = true
	rest, found := c.review.End(whole)
	c.citations = list(found.Citations)
	return rest
}

// silence is what is said when nothing may be: there is such a thing only where what no source says is left out.
func (c *check) silence() string {
	if c == nil || !c.grounding.Drop {
		return ""
	}
	return answer.Unknown(c.question, c.grounding.Unknown)
}

// list is citations as JSON, as many of the first ones as MaxCitations has room for.
func list(citations []answer.Citation) json.RawMessage {
	out := []byte{'['}
	for i, c := range citations {
		b := encode(c)
		if len(out)+len(b)+2 > MaxCitations {
			break
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, b...)
	}
	return append(out, ']')
}
