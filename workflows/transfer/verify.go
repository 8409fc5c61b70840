package transfer

import (
	"context"
	"fmt"

	"levada.dev/events/fault"
)

// verify goes through both lists once more, after the last run has brought everything: each difference that is left is a problem of the job.
func (x *bringing) verify(ctx context.Context, brought reached) error {
	x.note.Stage = Verifying
	at := reached{}
	at.Report.Brought, at.Report.Deleted, at.Report.ImportID = brought.Report.Brought, brought.Report.Deleted, x.note.Report.ImportID
	at, err := x.walk(ctx, "verify", at, check)
	switch {
	case err != nil:
		return err
	case at.Failed > 0:
		return fault.New(fault.Conflict, "transfer_incomplete", fmt.Sprintf("%d of %d documents are not here as they are at the source", at.Failed, at.Report.Found), nil)
	case at.Report.Digest != brought.Report.Digest:
		return fault.New(fault.Conflict, "source_changed", "the source has changed although it takes no changes; ask again", nil)
	}
	return nil
}

// check notes what differs.
func check(_ context.Context, _ *Far, at *reached, d Difference) error {
	at.problem(d.problems()...)
	return nil
}
