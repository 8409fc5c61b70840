package tools

// The codes of what goes wrong with a call. The first three say that the tool was not run.
const (
	CodeNotFound   = "TOOL_NOT_FOUND"    // 404
	CodeInvalid    = "VALIDATION_FAILED" // 400, with the path
	CodeDenied     = "PERMISSION_DENIED" // 403
	CodeTimeout    = "EXECUTION_TIMEOUT" // 504
	CodeFailed     = "EXECUTION_ERROR"   // 502
	CodeRunning    = "tool_running"      // 409
	CodeUnrecorded = "audit_unavailable" // 503
)
