package safety

import (
	"context"

	"levada.dev/tenants"
	"levada.dev/workflows/rag"
)

// Note is what was found of one source.
type Note struct {
	DocID   string `json:"docId"`
	ChunkID string `json:"chunkId"`
	Verdict
	Blocked bool `json:"blocked"` // it was left out
}

// Sources asks of sources what the policy wants asked, and returns those that a model may be shown and what was found.
func (f *Filter) Sources(ctx context.Context, s tenants.Scope, p tenants.Safety, requestID string, sources []rag.Source) ([]rag.Source, []Note, error) {
	texts := make([]string, len(sources))
	for i, source := range sources {
		texts[i] = source.Title + "\n" + source.Text
		if source.Context != nil {
			texts[i] = source.Title + "\n" + source.Context.Text
		}
	}
	verdicts, err := f.Retrieved(ctx, s, p, requestID, texts...)
	if err != nil {
		return nil, nil, err
	}
	var notes []Note
	kept := sources[:0:0]
	for i, v := range verdicts {
		blocked := v.Found() && p.Retrieved == tenants.ScreenBlock
		if v.Found() {
			notes = append(notes, Note{sources[i].DocID, sources[i].ChunkID, v, blocked})
		}
		if !blocked {
			kept = append(kept, sources[i])
		}
	}
	return kept, notes, nil
}
