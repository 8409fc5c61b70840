package estimate

import (
	"fmt"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/llm/price"
	"levada.dev/workflows/speech"
)

// Estimate is what a work would take.
type Estimate struct {
	Model    string   // that does most of it
	Expected Sum      // of ordinary texts
	Most     Sum      // what is never exceeded while what Basis supposes holds
	Basis    []string // how it was worked out, for people
}

// Sum is what calls of models take.
type Sum struct {
	Calls   int64         `json:"calls"`
	Tokens  int64         `json:"tokens"`
	Chars   int64         `json:"characters"`
	Neurons quota.Neurons `json:"neurons"`
	Nanos   int64         `json:"nanoUSD"`
}

// Amount is the sum in the currencies that there are budgets of.
func (s Sum) Amount() quota.Amount {
	return quota.Amount{Tokens: s.Tokens, Chars: s.Chars, Nanos: s.Nanos}
}

// call adds so many equal calls of a model.
func (s *Sum) call(n int64, m price.Model, u price.Units) {
	s.Calls += n
	s.units(n, m, u)
}

// units adds what a model takes, so many times.
func (s *Sum) units(n int64, m price.Model, u price.Units) {
	s.Tokens += n * (u.Input + u.Output)
	s.Chars += n * u.Chars
	s.Nanos += n * m.USD.Of(u)
	s.Neurons += quota.Neurons(n * m.Neurons.Of(u))
}

// Of is what a work would take for a tenant, whose texts are spoken under the terms. What is wrong with the work is fault.Invalid, with the field; a model that the tenant may not ask, or
// speech where there is none, is fault.Denied.
func Of(c *tenants.Config, t speech.Terms, w Work) (e Estimate, err error) {
	if err := w.check(); err != nil {
		return e, err
	}
	switch w.Capability {
	case quota.Ingest:
		err = e.embed(c, w, *w.Documents)
	case quota.Embeddings:
		err = e.embed(c, w, *w.Texts)
	case quota.Search:
		err = e.search(c, w)
	case quota.Chat:
		err = e.chat(c, w)
	case quota.Speech:
		err = e.speak(t, w)
	}
	return e, err
}

// say adds a sentence to the basis.
func (e *Estimate) say(text string) { e.Basis = append(e.Basis, text) }

// bounded refuses so many things of which each takes so many tokens at most, when nobody could count what they take together.
func bounded(field string, n, each int64) error {
	if each > 0 && n > mostTokens/each {
		return fault.Invalidf(field, "value_out_of_range", "so many take more than %d tokens, which is more than can be estimated at once", int64(mostTokens))
	}
	return nil
}

// bytesPerToken is about how long a token is; a tokenizer makes at most one of a byte.
const bytesPerToken = 4

// embed is texts that become vectors: those of a caller, or documents, which are cut into chunks first.
func (e *Estimate) embed(c *tenants.Config, w Work, texts int64) error {
	name := w.Model
	if name == "" {
		name = c.Models.Embedding
	}
	m, err := llm.FindEmbedding(name)
	if err != nil {
		return fault.Invalidf("model", "model_unknown", "there is no embedding model %.80q", name)
	}
	e.Model = m.Name
	p, batch := price.Of(m.Name), int64(m.Batch)
	expected, most := of(w.Tokens, ceil(of(w.Bytes, 0), bytesPerToken)), of(w.Tokens, of(w.Bytes, 0))
	if w.Tokens != nil {
		e.say("tokens: those that were counted; at most twice as many, as another model may count them")
		most *= 2
	} else {
		e.say("tokens: one for four bytes of text; at most one for each byte, since no tokenizer makes more")
	}
	if w.Capability == quota.Ingest {
		chunk := int64(m.Tokens) * 3 / 4 // cut at sentences, a chunk is not full
		chunks := texts + expected/chunk
		e.Expected.call(ceil(chunks, batch), p, price.Units{})
		e.Expected.units(1, p, price.Units{Input: expected + chunks*llm.TextMarks})
		pieces := texts + most/(int64(m.Tokens)/4) // a smaller one is joined with the next, where there is one
		e.Most.call(pieces, p, price.Units{})
		e.Most.units(1, p, price.Units{Input: 2 * (most + pieces*llm.TextBound)})
		e.say("chunks: about three quarters of what the model reads at once, and one more for each document; calls are shared by chunks of several documents; at most each is a call")
		e.say("at most: title and headings, which are embedded with each chunk, and what chunks repeat of each other (chunking.overlapTokens) make it twice as much; a call that fails is tried again, and is taken to cost nothing")
		e.say("of HTML, PDF and Office documents what is embedded is their text, which is less than their bytes")
		return nil
	}
	e.Expected.call(ceil(texts, batch), p, price.Units{})
	e.Expected.units(1, p, price.Units{Input: expected + texts*llm.TextMarks})
	e.Most.call(texts, p, price.Units{})
	e.Most.units(1, p, price.Units{Input: most + texts*llm.TextBound})
	e.say(fmt.Sprintf("calls: %d texts in one; at most one for each text", batch))
	return nil
}

func ceil(n, each int64) int64 { return (n + each - 1) / each }
