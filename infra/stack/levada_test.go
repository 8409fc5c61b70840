package stack_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"levada.dev/infra/stack"
	"levada.dev/workflows/corpus/book"
)

// TestALoneDocumentIsNoQueue: the wait for company in each stage's batch is not to look like a queue to a tenant's window.
func TestALoneDocumentIsNoQueue(t *testing.T) {
	var wait time.Duration
	for _, q := range stack.Levada(stack.Pool{Name: "dev"}).Queues {
		if q.Name == "ingest" || q.Name == "embed" || q.Name == "index" {
			wait += q.MaxWaitTime
		}
	}
	assert.Positive(t, wait)
	assert.Less(t, wait, book.Patience)
}
