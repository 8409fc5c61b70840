package main

import (
	"context"
	"testing"

	"levada.dev/infra/cloudflare/ai"
	"levada.dev/infra/cloudflare/port"
	"levada.dev/tenants"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/speechtest"
)

// synthesizer is the port of the suite of synthesizers, in the event.
type synthesizer struct {
	event
	port speech.Synthesizer
}

func (x synthesizer) Speak(ctx context.Context, s tenants.Scope, c llm.Call, l speech.Line) (speech.Spoken, error) {
	return x.port.Speak(x.in(ctx), s, c, l)
}

// testSynthesizer tests one model of each dialect, and what is said of one that does not speak.
func testSynthesizer(t *testing.T, ev event) {
	make := func(*testing.T) speech.Synthesizer {
		return synthesizer{ev, port.NewSynthesizer(ai.Open("AI"), "suite")}
	}
	for _, name := range []string{speech.LocalModel, "@cf/deepgram/aura-1", "@cf/myshell-ai/melotts"} {
		m, err := speech.FindModel(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(m.Name, func(t *testing.T) { speechtest.TestSynthesizer(t, m, make) })
	}
	speechtest.TestRefusals(t, make)
}
