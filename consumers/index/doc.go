// Package index is the last consumer of a document: it writes vectors into the index, asks the ledger what that means,
// and removes what searches no longer show.
package index
