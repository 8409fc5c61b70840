package book

import (
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/job"
)

// NoteImport implements imports.Ledger.
func (b *Book) NoteImport(r rows.Tx, s tenants.Scope, id string, note job.Problem) (job.Job, error) {
	c := b.begin(r, s)
	im, _, err := c.goingOn(id)
	if err != nil {
		return job.Job{}, err
	}
	if im != nil && !im.row.Import.Sealed {
		note.Message = clip(note.Message, maxMessage)
		if note.At.IsZero() {
			note.At = c.now.UTC()
		}
		im.row.Import.Note, im.dirty = &note, true
		if err := c.close(); err != nil {
			return job.Job{}, err
		}
	}
	return b.Job(r, id)
}
