package speech

import (
	"slices"

	"levada.dev/events/fault"
	"levada.dev/workflows/job"
)

// inner are the codes of what those who make takes, and where they are made, tell each other.
var inner = []string{CodeOver, CodeBusy, CodeUnshared, CodeDiffers, CodeIncomplete, CodePart, CodeInvalid}

// Inner reports whether a code says nothing to whoever ordered a text: it is between those who make it. Where one comes out all the same, that is our own mistake.
func Inner(code string) bool { return slices.Contains(inner, code) }

// Problem is a fault as a job tells it. What is our own mistake says nothing about itself.
func Problem(err error) *job.Problem {
	f := fault.As(err)
	if f.Kind == fault.Internal || Inner(f.Code) {
		return &job.Problem{Stage: "speak", Code: "internal", Message: "something went wrong on our side"}
	}
	return &job.Problem{Stage: "speak", Field: f.Field, Code: f.Code, Message: f.Message, Hint: f.Hint}
}
