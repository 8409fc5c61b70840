package transfer

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"levada.dev/workflows/job"
)

// Difference is what becomes of the documents of two lists.
type Difference struct {
	Bring []Card // the source has them, and here they are not, or not as they are there
	Gone  []Card // came here from the source, which has them no more
	Taken []Card // somebody has submitted them here, otherwise than they are at the source
	Same  int
	// Unsearchable are here as they are there, where searches show them, and here they do not. They have failed, or are on their way.
	Unsearchable []Card
}

// Compare goes through two lists in the order of ids, of the source and of here.
func Compare(source, here []Card) (d Difference) {
	for len(source) > 0 || len(here) > 0 {
		switch {
		case len(here) == 0 || len(source) > 0 && source[0].DocID < here[0].DocID:
			d.Bring, source = append(d.Bring, source[0]), source[1:]
		case len(source) == 0 || here[0].DocID < source[0].DocID:
			if here[0].Moved {
				d.Gone = append(d.Gone, here[0])
			}
			here = here[1:]
		default:
			d.both(source[0], here[0])
			source, here = source[1:], here[1:]
		}
	}
	return d
}

// both compares a document that is in both lists.
func (d *Difference) both(source, here Card) {
	switch {
	case !source.Same(here) && here.Moved:
		d.Bring = append(d.Bring, source)
	case !source.Same(here):
		d.Taken = append(d.Taken, source)
	case source.Searchable && !here.Searchable:
		d.Unsearchable = append(d.Unsearchable, here)
	default:
		d.Same++
	}
}

// problems names what differs when nothing should.
func (d *Difference) problems() (ps []job.Problem) {
	for _, c := range d.Bring {
		if !c.Searchable && c.Failed != "" {
			continue // nobody misses what has failed there: the import's problems name it, if it was refused here
		}
		ps = append(ps, job.Problem{Stage: Verifying, DocID: c.DocID, Code: "document_missing", Message: "it is not here as it is at the source"})
	}
	for _, c := range d.Gone {
		ps = append(ps, job.Problem{Stage: Verifying, DocID: c.DocID, Code: "document_left", Message: "it is not at the source any more, and still here"})
	}
	for _, c := range d.Unsearchable {
		ps = append(ps, job.Problem{Stage: Verifying, DocID: c.DocID, Code: "document_not_searchable", Message: "searches show it at the source, and not here; its own job says why: " + c.Failed})
	}
	return append(ps, d.taken(Verifying)...)
}

// taken names the documents that somebody else has put here.
func (d *Difference) taken(stage string) (ps []job.Problem) {
	for _, c := range d.Taken {
		ps = append(ps, job.Problem{Stage: stage, DocID: c.DocID, Code: "document_taken", Message: "somebody has submitted it here, otherwise than it is at the source; delete it in one of both places"})
	}
	return ps
}

// digest goes on with a digest over ids and contents, one document after the other: so how they were divided into pages does not matter.
func digest(before string, cards []Card) string {
	for _, c := range cards {
		sum := sha256.Sum256([]byte(before + strconv.Quote(c.DocID) + c.SHA256))
		before = hex.EncodeToString(sum[:])
	}
	return before
}
