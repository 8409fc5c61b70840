package api

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"levada.dev/workflows/corpus"
	"levada.dev/workflows/job"
)

func TestHints(t *testing.T) {
	for code := range nextSteps {
		assert.Contains(t, statuses, code, "clients know the code")
	}
	ps := advised([]job.Problem{{Code: "document_encrypted"}, {Code: "unknown_field", Hint: "fields are docId, text"}, {Code: "model_busy"}})
	assert.Equal(t, nextSteps["document_encrypted"], ps[0].Hint)
	assert.Equal(t, "fields are docId, text", ps[1].Hint, "who said it where it happened knows better")
	assert.Empty(t, ps[2].Hint)

	j := job.Job{Note: &job.Problem{Code: job.FoundNothing}}
	adviseJob(&j)
	assert.Equal(t, nextSteps[job.FoundNothing], j.Note.Hint)

	why := &corpus.NotSearchable{Code: corpus.WhyFailed, Error: "document_expands"}
	d := corpus.Document{Why: why}
	adviseDocument(&d)
	assert.Equal(t, nextSteps["document_expands"], d.Why.Hint)
	assert.Empty(t, why.Hint, "the ledger's own is left alone")
	d.Why = &corpus.NotSearchable{Code: corpus.WhyRetrying, Error: "fetch_refused"}
	adviseDocument(&d)
	assert.Empty(t, d.Why.Hint, "it is tried again")
}
