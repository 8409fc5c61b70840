package memory_test

import (
	"testing"
	"time"

	"levada.dev/infra/memory"
	"levada.dev/workflows/letters/letterstest"
)

func TestBox(t *testing.T) {
	letterstest.TestBox(t, func(*testing.T) letterstest.Box { return memory.NewLetters(time.Now) })
}
