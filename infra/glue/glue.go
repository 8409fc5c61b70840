package glue

import "embed"

// Files are the modules.
//
//go:embed *.mjs
var Files embed.FS

// CompatibilityDate is the date the runtime is tested with. It must not be before
// 2024-10-14, from when on a promise may be settled by another request
// (handle_cross_request_promise_resolution).
const CompatibilityDate = "2026-11-01"

// CompatibilityFlags are the flags the runtime needs: nodejs_als tells in which event a
// callback of foreign syscall/js code runs, and enable_request_signal tells that a
// client has left. Never add no_handle_cross_request_promise_resolution: Go would hang.
func CompatibilityFlags() []string { return []string{"nodejs_als", "enable_request_signal"} }
