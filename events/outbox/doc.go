// Package outbox keeps events in the transaction that made them true, until a queue has taken them. So a fact that was
// committed is told, whatever dies in between: at least once, with the same id.
package outbox
