package memory_test

import (
	"testing"

	"levada.dev/consumers/audit/audittest"
	"levada.dev/infra/memory"
)

func TestTrail(t *testing.T) {
	audittest.TestTrail(t, func(*testing.T) audittest.Trail { return &memory.Trail{} })
}
