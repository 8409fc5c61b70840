// Package book is what keeps conversations decides, apart from where they are kept: a [Book] for one session, a [Shelf]
// for a tenant's list of them. Both work on rows inside one transaction, so the same decisions run in a Durable
// Object and in memory; [Client] and [ShelfClient] are the far ends of the wires.
package book
