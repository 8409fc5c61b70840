// Package book is what a tenant's ledger decides, apart from where it is kept.
//
// A Book holds no state. Each method works on Rows, an ordered map that is open inside one transaction, so the
// same decisions run over SQLite in a Durable Object and over a map in a test. Call and Client are the two ends of a
// wire that carries the whole of corpus.Ledger as bytes, faults included: an adapter moves bytes and commits.
//
// Rows cost money where they are written, so there are few:
//
//	d/<docId>          one document: its live generations, with a bitmap of the slices that are in, and its last versions; of one
//	                   that was deleted a tombstone, with the generations that may have vectors
//	j/<jobId>          one job: which generation it follows, and its end; or that there must be none of this id
//	o/<jobId>.<type>   one event that waits for its queue
//	x/<jobId>.<type>   one event that can never be sent
//	i/<day>/<key>      one idempotency key, by the day it was taken
//
// A document of one slice writes seven rows on its whole way: document three times (submitted, chunked, complete), job
// twice (submitted, ended), its event once, and once the event's removal. A further slice writes the document
// once more, or less: progress that arrives in one call is written once. Progress told again writes nothing.
//
// Generations of one document may be in flight together and end in any order. The highest that is complete is
// searchable; what is below it is retired: its job is cancelled as superseded, and its vectors are named in the verdicts
// until their removal is confirmed.
package book
