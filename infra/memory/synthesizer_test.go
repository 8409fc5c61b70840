package memory_test

import (
	"testing"

	"levada.dev/infra/memory"
	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/speechtest"
)

func TestSynthesizer(t *testing.T) {
	for _, m := range speech.Models() {
		t.Run(m.Name, func(t *testing.T) {
			speechtest.TestSynthesizer(t, m, func(*testing.T) speech.Synthesizer { return &memory.Synthesizer{} })
		})
	}
	speechtest.TestRefusals(t, func(*testing.T) speech.Synthesizer { return &memory.Synthesizer{} })
}
