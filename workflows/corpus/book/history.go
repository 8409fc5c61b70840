package book

import (
	"cmp"
	"slices"

	"levada.dev/workflows/corpus"
)

// version is what is remembered of a generation that is not kept whole.
type version struct {
	Number  int          `json:"n"`
	State   corpus.State `json:"st"`
	JobID   string       `json:"job"`
	Bytes   int          `json:"b,omitempty"`
	SHA256  string       `json:"sha,omitempty"`
	Chunks  int          `json:"c,omitempty"`
	Tokens  int64        `json:"tk,omitempty"`
	At      int64        `json:"t"`
	Failure string       `json:"f,omitempty"`
}

func (g *generation) version() version {
	v := version{
		Number: g.Number, State: g.State, JobID: g.JobID, Bytes: g.Bytes, SHA256: g.SHA256, Chunks: g.Chunks, Tokens: g.Tokens, At: g.Submitted,
	}
	if g.Failure != nil {
		v.Failure = g.Failure.Code
	}
	return v
}

// remember files a generation before it is dropped or stripped.
func (d *document) remember(g *generation) {
	if !g.whole() {
		return
	}
	d.History = append(d.History, g.version())
	slices.SortFunc(d.History, newestFirst)
	d.History = d.History[:min(len(d.History), corpus.MaxVersions)]
}

func newestFirst(a, b version) int { return cmp.Compare(b.Number, a.Number) }

// versions is the history as others see it.
func (d *document) versions() []corpus.Version {
	all := slices.Clone(d.History)
	for _, g := range d.Generations {
		if g.whole() {
			all = append(all, g.version())
		}
	}
	slices.SortFunc(all, newestFirst)
	out := make([]corpus.Version, min(len(all), corpus.MaxVersions))
	for i := range out {
		v := all[i]
		out[i] = corpus.Version{
			Generation: v.Number, State: v.State, Searchable: v.Number == d.Searchable, Bytes: v.Bytes, SHA256: v.SHA256,
			Chunks: v.Chunks, Tokens: v.Tokens, JobID: v.JobID, At: at(v.At), Reason: v.Failure,
		}
	}
	return out
}
