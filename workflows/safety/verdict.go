package safety

import (
	"context"

	"levada.dev/tenants"
)

// Screener tells whether a text tries to take a model over.
//
// It has read all of the text, or fails. The error of one that asks nobody is that of ctx at most; one that asks a model may return what an
// llm.Generator may. Safe for concurrent use.
type Screener interface {
	Screen(ctx context.Context, s tenants.Scope, a Ask) (Verdict, error)
}

// Ask is a text to be screened.
type Ask struct {
	Text      string
	Strange   bool   // it was not written by who asks: a source, what a tool brought
	Model     string // to ask, where one is asked
	RequestID string
}

// Kind is what a text tries.
type Kind string

// The kinds. None is the zero value: nothing was found.
const (
	None      Kind = ""
	Injection Kind = "injection" // to give the model other instructions, or have it tell its own
	Jailbreak Kind = "jailbreak" // to talk the model out of its rules, by a role, a mode or a story
	Unsafe    Kind = "unsafe"    // what a guard model calls unsafe
)

// Verdict is what was found.
type Verdict struct {
	Kind  Kind    `json:"kind"`
	Score float64 `json:"score"` // 0 to 1
	Rule  string  `json:"rule"`  // which rule it was, "model" for the linear one; a guard model's category
}

// Found reports whether there is something.
func (v Verdict) Found() bool { return v.Kind != None }

// Threshold is the score from which on a text is taken for an attack. docs/safety.md has what it costs on either side.
const Threshold = 0.5
