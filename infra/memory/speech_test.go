package memory_test

import (
	"testing"
	"time"

	"levada.dev/infra/memory"
	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/speechtest"
)

func TestDesk(t *testing.T) {
	desks := memory.NewSpeech(time.Now)
	speechtest.TestDesk(t, func(*testing.T) speechtest.Studio { return desks })
}

func TestSounds(t *testing.T) {
	t.Run("all at once", func(t *testing.T) {
		sounds := &memory.Sounds{}
		speechtest.TestSounds(t, func(*testing.T) speech.Sounds { return sounds })
	})
	t.Run("one by one", func(t *testing.T) {
		sounds := &memory.Sounds{AtOnce: 1}
		speechtest.TestSounds(t, func(*testing.T) speech.Sounds { return sounds })
	})
}
