package tools

import (
	"context"
	"encoding/json"

	"levada.dev/events"
	"levada.dev/tenants"
	"levada.dev/workflows/safety"
	"levada.dev/workflows/tools/keep"
)

// Caller is who wants tools run, and what may be run for them.
type Caller struct {
	Config *tenants.Config
	Actor  string                            // the name of the caller's key; empty when the tenant's door is open
	Allows func(scope tenants.APIScope) bool // what the key holds
	User   string
	Via    Via

	RequestID string
	Cause     events.Cause

	// Flagged is told what the policy has found in the arguments of a call, before anything is done with them. It may be nil; calls beside each other
	// tell it beside each other.
	Flagged func(tool string, v safety.Verdict, blocked bool)
}

// Via is the way on which a call came.
type Via string

// The ways.
const (
	ViaHTTP Via = "http" // POST /tools/execute, and MCP, which asks there
	ViaChat Via = "chat" // a model wanted it, or the request did
)

// Order is a call that somebody wants made.
type Order struct {
	Tool   string
	Input  json.RawMessage // nothing is an empty object
	Key    string          // an equal call with the same key is made once; "" makes it each time
	Shared bool            // other calls may have the key, too, each of which is made once
	DryRun bool            // only says what would be done

	Progress func(Progress) // is told how far it is, by one goroutine at a time; may be nil
}

// Box is the tools of the platform and of its tenants; *Runner is the one there is.
type Box interface {
	// List is the tools that the caller may call, by name.
	List(c Caller) []Tool
	// Execute makes a call. The codes of what kept it from being made, and of its failure, are those of codes.go; a tool's fault.Limited is
	// returned as it is. The Result has the call's id also beside an error. Whatever becomes of the call is on record when Execute returns,
	// unless the caller's ctx ended and the call has a key: then it goes on without the caller. A dry run is on record when it is refused.
	Execute(ctx context.Context, s tenants.Scope, c Caller, o Order) (Result, error)
}

// What is kept of calls is in a package of its own, so that who keeps it has no validator of schemas.
type (
	// Result is what came of a call.
	Result = keep.Result
	// Calls keeps what was called under a key.
	Calls = keep.Calls
	// Opening is the beginning of a call under a key.
	Opening = keep.Opening
	// Begun is a call that may be made, or the result that it had.
	Begun = keep.Begun
)

// ResultLife is for how long a result is kept under its key.
const ResultLife = keep.ResultLife

// MaxResultBytes is how long a tool's result may be.
const MaxResultBytes = keep.MaxResultBytes

// How many values the JSON of arguments and of a result may hold, as events/tally counts them: both are held to their schemas as trees, which take hundreds
// of bytes a value. The result of a tool of cost Outside is held to the bound of arguments: a stranger made it, too.
const (
	MaxValues       = 10_000
	MaxResultValues = 100_000
)
