package letters

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"levada.dev/events"
	"levada.dev/tenants"
)

const (
	strandedAtOnce = 20  // each may have a message in it
	strandedInCall = 200 // that one call brings home
)

// BringHome moves letters of a tenant into its box that were kept beside it: there they are listed, replayed, and forgotten with their documents. It
// may be repeated, also beside itself, since a letter has the same id wherever it is.
func BringHome(ctx context.Context, s tenants.Scope, from Pile, box Keeper) error {
	for moved := 0; moved < strandedInCall; {
		ls, err := from.Stranded(ctx, s, strandedAtOnce)
		if err != nil || len(ls) == 0 {
			return err
		}
		for i := range ls {
			ls[i].about()
		}
		if err := box.Keep(ctx, s, ls); err != nil {
			return fmt.Errorf("bring %d letters home: %w", len(ls), err)
		}
		if err := from.Drop(ctx, s, ls); err != nil {
			return fmt.Errorf("drop %d letters that are home: %w", len(ls), err)
		}
		moved += len(ls)
	}
	return nil
}

// about finds out which document a letter is about whose burial the ledger has not answered.
func (l *Letter) about() {
	if l.DocID != "" || l.Stage == "" {
		return
	}
	ev, err := events.Decode(l.Body)
	if err != nil {
		return
	}
	var ref events.DocumentRef
	if json.Unmarshal(ev.Data, &ref) == nil {
		l.DocID, l.Generation = ref.DocID, ref.Generation
	}
	if l.DocID == "" {
		l.DocID, _ = strings.CutPrefix(ev.Subject, "documents/")
	}
}
