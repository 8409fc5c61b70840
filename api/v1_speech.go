package api

import (
	"levada.dev/api/openai"
	"levada.dev/events/fault"
	"levada.dev/workflows/speech"
)

// say speaks a text, and answers the sound as it is made. There is a job of it, as of every text that is spoken.
func say(c *call) error {
	terms := c.speechTerms()
	if err := terms.Check(); err != nil {
		return err
	}
	req, err := openai.DecodeSpeech(c.body)
	if err != nil {
		return err
	}
	asked := speech.Request{Text: req.Input, Model: req.Model, Voice: req.Voice, Format: req.Format, Speed: req.Speed}
	order, err := terms.Order(asked)
	if err != nil {
		return inOpenAI(err)
	}
	if err := streamable(order); err != nil {
		return inOpenAI(err)
	}
	c.dropBody() // nothing of the order points into it
	bound, err := boundOf(order)
	if err != nil {
		return err
	}
	if err := c.permitOpenAI("", soon(order, bound, true)); err != nil {
		return err
	}
	opened, err := c.orderSpeech(order, asked, bound, true)
	if err != nil {
		return err
	}
	return inOpenAI(c.play(opened))
}

// inOpenAI names the fields of a fault as OpenAI's requests do.
func inOpenAI(err error) error {
	f := fault.As(err)
	names := map[string]string{"text": "input", "format": "response_format"}
	if names[f.Field] == "" {
		return err
	}
	renamed := *f
	renamed.Field = names[f.Field]
	return &renamed
}
