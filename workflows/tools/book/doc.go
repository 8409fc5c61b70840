// Package book decides what an object of the class Calls keeps: the calls of a tenant's tools that have a key, what came of them, and until when.
// It is keep.Calls on ordered rows inside a transaction; [Client] is its far end.
package book
