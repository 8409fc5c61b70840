package tools

import (
	"errors"

	"levada.dev/events/fault"
	"levada.dev/workflows/tools/keep"
)

// The codes of what goes wrong with a call. The first three say that the tool was not run.
const (
	CodeNotFound   = "TOOL_NOT_FOUND"    // 404
	CodeInvalid    = "VALIDATION_FAILED" // 400, with the path
	CodeDenied     = "PERMISSION_DENIED" // 403
	CodeTimeout    = "EXECUTION_TIMEOUT" // 504
	CodeFailed     = "EXECUTION_ERROR"   // 502
	CodeRunning    = keep.CodeRunning    // 409
	CodeUnrecorded = "audit_unavailable" // 503
)

// OwnCode is the code of an error of a call; of a tool that failed, the code that the tool gave.
func OwnCode(err error) string {
	f := fault.As(err)
	if f.Code != CodeFailed {
		return f.Code
	}
	var own *fault.Error
	if errors.As(f.Unwrap(), &own) {
		return own.Code
	}
	return "internal"
}
