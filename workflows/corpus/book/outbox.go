package book

import (
	"strings"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/events/outbox"
	"levada.dev/tenants/call"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/job"
)

// enqueue takes an event of a job into the outbox. A job has one event of a type, so that is its name; job ids are
// ordered by time, so what waited longest goes first.
func enqueue(r rows.Tx, jobID string, ev events.Event) error {
	return outbox.Put(r, jobID+"."+ev.Type, ev)
}

// tell takes a fact about a job into the outbox.
func (c *change) tell(jobID string, cause events.Cause, f events.Fact) error {
	ev, err := events.New(c.scope, worker, cause, c.now, f)
	if err != nil {
		return err
	}
	return enqueue(c.rows, jobID, ev)
}

// SetAside takes an event that can never be sent out of the others' way, and fails the document that waited for it. The
// row is kept for operators.
func (b *Book) SetAside(r rows.Tx, id string, reason error) error {
	if found, err := outbox.SetAside(r, id); err != nil || !found {
		return err
	}
	jobID, typ, _ := strings.Cut(id, ".")
	if typ == events.TypeImportStarted {
		return b.neverStarted(r, jobID, reason)
	}
	if typ == events.TypeTenantEmbeddingRequested {
		return b.neverMoved(r, jobID, reason)
	}
	if typ == events.TypeTenantTransferRequested {
		return b.neverTransferred(r, jobID, reason)
	}
	if typ == events.TypeTenantErasureRequested {
		s, err := call.Owner(r)
		if err != nil {
			return err
		}
		f := fault.As(reason)
		_, err = b.EndErasure(r, s, jobID, &job.Problem{Stage: "erase", Code: f.Code, Message: f.Message})
		return err
	}
	stage, known := map[string]corpus.Stage{events.TypeDocumentRequested: corpus.StageSubmit, events.TypeDocumentSubmitted: corpus.StageSubmit, events.TypeDocumentDeleted: corpus.StageErase}[typ]
	if !known {
		return nil
	}
	var j jobRow
	if found, err := rows.Read(r, jobPrefix+jobID, &j); err != nil || !found {
		return err
	}
	s, err := call.Owner(r)
	if err != nil {
		return err
	}
	f := fault.As(reason)
	_, err = b.Advance(r, s, []corpus.Progress{{
		DocumentRef: events.DocumentRef{DocID: j.DocID, Generation: j.Generation, JobID: jobID}, Stage: stage,
		Code: f.Code, Message: f.Message, Cause: events.Cause{ID: jobID},
	}})
	return err
}

// neverStarted ends an import that nobody can be told of.
func (b *Book) neverStarted(r rows.Tx, id string, reason error) error {
	s, err := call.Owner(r)
	if err != nil {
		return err
	}
	f := fault.As(reason)
	_, err = b.SealImport(r, s, id, 0, &job.Problem{Stage: "import", Code: f.Code, Message: f.Message})
	return err
}

// neverMoved ends a move that nobody can be told of.
func (b *Book) neverMoved(r rows.Tx, id string, reason error) error {
	s, err := call.Owner(r)
	if err != nil {
		return err
	}
	f := fault.As(reason)
	_, err = b.EndMove(r, s, id, &job.Problem{Stage: "begin", Code: f.Code, Message: f.Message})
	return err
}

// Submits reports whether a method of the wire takes a document in.
func Submits(method string) bool {
	return method == methodSubmit || method == methodTake || method == methodOpen
}

// Looks reports whether a method of the wire reads all that it tells at once: such a call needs no transaction. Every search makes two of them.
func Looks(method string) bool { return method == methodEdition || method == methodShown }

// Sends reports whether a method of the wire may take events into the outbox, so that whoever keeps the book sees to
// their sending before the method is committed.
func Sends(method string) bool {
	switch method {
	case methodSubmit, methodAdvance, methodDelete, methodCancel, methodResubmit, methodOpen, methodTake, methodSeal, methodErase, methodEndErasure,
		methodOpenMove, methodTakeWorks, methodFilled, methodSwitch, methodEndMove, methodTransfer:
		return true
	}
	return false
}
