// Package book decides for a tenant's box of dead letters: what is kept, found, counted, sent again and forgotten. It is
// written against [rows.Tx], and runs the same in a Durable Object, in memory and under a test.
//
// A letter has five rows: what it says, its body, which lists do not read, its place, by which it is found by id, that it is about
// its document, if it is about one, and, until it is replayed, a short one that says what queries look at.
package book
