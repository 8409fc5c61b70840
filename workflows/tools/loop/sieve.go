package loop

import (
	"slices"
	"strings"

	"levada.dev/workflows/llm"
)

// sieve tells the client's calls of tools, which pass, from those of the platform's tools, which stay, as their pieces come.
type sieve struct {
	own   []llm.Tool // the client's
	deaf  bool       // nobody may call anything
	calls []*pieces
	sent  int // calls that pass
}

// pieces is a call of a tool that is still being written.
type pieces struct {
	from      int // the model's index
	to        int // the client's
	owner     owner
	id, name  string
	arguments strings.Builder
}

// owner is whose tool is called. As long as the name has not come nobody knows.
type owner int

const (
	nobody owner = iota
	client
	platform
)

// take takes a piece, and returns what passes of it.
func (s *sieve) take(d llm.ToolDelta) *llm.ToolDelta {
	if s.deaf {
		return nil
	}
	p := s.call(d.Index)
	p.id, p.name = orElse(d.ID, p.id), orElse(d.Name, p.name)
	if p.owner == client {
		d.Index = p.to
		return &d
	}
	p.arguments.WriteString(d.Arguments)
	switch {
	case p.owner == platform || p.name == "":
		return nil
	case !slices.ContainsFunc(s.own, func(t llm.Tool) bool { return t.Name == p.name }):
		p.owner = platform
		return nil
	}
	p.owner, p.to = client, s.sent
	s.sent++
	return &llm.ToolDelta{Index: p.to, ID: p.id, Name: p.name, Arguments: p.arguments.String()}
}

func orElse(s, other string) string {
	if s != "" {
		return s
	}
	return other
}

func (s *sieve) call(index int) *pieces {
	for _, p := range s.calls {
		if p.from == index {
			return p
		}
	}
	p := &pieces{from: index}
	s.calls = append(s.calls, p)
	return p
}

// stayed is the calls that did not pass, in the order in which the model began them.
func (s *sieve) stayed() (calls []llm.ToolCall) {
	for _, p := range s.calls {
		if p.owner != client {
			calls = append(calls, llm.ToolCall{ID: p.id, Name: p.name, Arguments: p.arguments.String()})
		}
	}
	return calls
}
