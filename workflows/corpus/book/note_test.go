package book_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/job"
)

// TestAnImportSaysWhatItWaitsFor until it is sealed, and says nothing of it afterwards.
func TestAnImportSaysWhatItWaitsFor(t *testing.T) {
	for name, end := range map[string]func(*desk) error{
		"sealed":    func(d *desk) error { _, err := d.book.SealImport(d.rows, d.scope, "import", 1, nil); return err },
		"cancelled": func(d *desk) error { _, err := d.book.Cancel(d.rows, d.scope, "import"); return err },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			_, err := d.book.OpenImport(d.rows, d.scope, imports.Import{ID: "import", Origin: imports.Origin{Sitemap: "https://a.example.com/"}, Cause: events.Cause{ID: "r"}})
			require.NoError(t, err)
			note := job.Problem{Stage: "import", Field: "sitemap", Code: "fetch_failed", Message: "it is asked again"}
			for range 2 {
				j, err := d.book.NoteImport(d.rows, d.scope, "import", note)
				require.NoError(t, err)
				require.NotNil(t, j.Note)
				assert.Equal(t, []string{"fetch_failed", "sitemap", "it is asked again"}, []string{j.Note.Code, j.Note.Field, j.Note.Message})
				assert.False(t, j.Note.At.IsZero())
				assert.Equal(t, job.Queued, j.State)
				assert.Empty(t, j.Errors, "it has not failed")
			}
			require.NoError(t, end(d))
			j, err := d.book.NoteImport(d.rows, d.scope, "import", note)
			require.NoError(t, err)
			assert.Nil(t, j.Note)
		})
	}
	d := newDesk(t)
	_, err := d.book.NoteImport(d.rows, d.scope, "none", job.Problem{})
	assert.Equal(t, fault.NotFound, fault.KindOf(err))
}
