// Package fault is the closed list of ways in which an operation can fail.
//
// A failure has a Kind, which decides what the machinery does (the HTTP status, whether a queue
// message is retried, whether a step runs again), a Code, which callers match on and which never
// changes, a Message for people, and where a request was at fault the Field that holds the mistake.
// The same value travels as data over HTTP, RPC and queues, so no caller parses text.
package fault
