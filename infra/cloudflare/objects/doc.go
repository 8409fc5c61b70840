// Package objects is the Durable Object classes: a tenant's ledger and its audit trail. An object carries bytes between
// its callers and the domain's decisions, and commits; what is decided is in workflows/corpus/book.
//
// One object of each class serves one tenant, named by its scope. Callers reach them through infra/cloudflare/port.
package objects
