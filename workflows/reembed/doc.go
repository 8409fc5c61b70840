// Package reembed changes the embedding model of a tenant while its documents are searched.
//
// The vectors of a second space are made beside those of the first from the chunks that are there, each search uses one space whole, and
// which one that is changes in one transaction of the tenant's ledger. See docs/design/search.md.
package reembed
