// Package memory is every port of the domain in memory, for tests and for trying things out.
//
// Each store checks the rules of its port while it works: a call without a tenant, too many vectors at once or a name
// that the real thing would refuse is an error here, too. Each has Hooks, with which a test makes a call fail before
// it has happened, or after, when the caller cannot know. The ledger decides by the same book as the real one, through
// the same wire, and rolls back like a database.
package memory
