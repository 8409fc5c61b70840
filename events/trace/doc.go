// Package trace reads and writes W3C traceparent, the name of a request's place in a trace, which travels through
// HTTP headers and events. It records nothing: spans are for the platform to export.
package trace
