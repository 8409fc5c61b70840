// Package consumers is what stands between a queue and the handlers of events.
//
// The Router takes a batch of messages of any tenants and types and gives back a verdict on each. It decodes, resumes
// the tenant's scope, fetches claimed data, and hands each handler all events of one type and one tenant at once, so
// that a handler can do its work in few calls and can never mix tenants. A handler answers one error for each event:
// nil is done, a retryable fault is tried again after a growing delay, and anything else is dead.
//
// # What becomes of the dead
//
// An event that failed for good, or whose last attempt failed, is buried by the Undertaker before its message is
// acknowledged: its document's generation fails in the ledger (which tells document.failed in the same transaction),
// vectors that were written for it are removed, and the message is kept as a Letter with reason, handler, attempt and
// trace. If burying fails the message is retried; it is never acknowledged half buried.
//
// The platform's dead-letter queues then hold only what our code had no chance to bury: messages whose last attempt
// killed the isolate or ran out of time, or met a ledger that did not answer. So each of them has a consumer, too,
// HandleDead, which does nothing but bury. A document cannot hang as long as one of the two runs.
//
// Every handler is safe to run twice, and beside itself.
package consumers
