package speech

import (
	"levada.dev/events/fault"
	"levada.dev/workflows/job"
)

// Problem is a fault as a job tells it. What is our own mistake says nothing about itself.
func Problem(err error) *job.Problem {
	f := fault.As(err)
	if f.Kind == fault.Internal {
		return &job.Problem{Stage: "speak", Code: "internal", Message: "something went wrong on our side"}
	}
	return &job.Problem{Stage: "speak", Field: f.Field, Code: f.Code, Message: f.Message, Hint: f.Hint}
}
