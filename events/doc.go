// Package events is the facts of the platform and the envelope they travel in.
//
// A fact is something that has happened, in the past tense, for one tenant: a document was submitted, its
// chunks were embedded. It travels as a CloudEvent (1.0, structured JSON, because queues carry no headers)
// with the tenant, the trace and the cause as extensions. Delivery is at least once and in no order, so
// an event's id says which fact it is, not which delivery: the same fact told twice has the same id.
package events
