// Package book is what a tenant's ledger decides, apart from where it is kept.
//
// A Book holds no state. Each method works on Rows, an ordered map that is open inside one transaction, so the
// same decisions run over SQLite in a Durable Object and over a map in a test. Call and Client are the two ends of a
// wire that carries the whole of corpus.Ledger, corpus.Catalogue, imports.Ledger and reembed.Ledger as bytes, faults included: an adapter
// moves bytes and commits.
//
// Rows cost money where they are written, so there are few:
//
//	d/<docId>          one document: its live generations, with a bitmap of the slices that are in, and its last versions; of one
//	                   that was deleted a tombstone, with the generations that may have vectors
//	j/<jobId>          one job: which generation it follows, or how far an import is, and its end; or that there must be none of this id
//	o/<jobId>.<type>   one event that waits for its queue
//	x/<jobId>.<type>   one event that can never be sent
//	i/<day>/<key>      one idempotency key, by the day it was taken
//	w/<lane>/<number>  one document that waits for its turn
//	transfer           that the tenant moves to another pool, or has come from one
//	turns              the window, the lanes, what was let in lately, the edition that searches show, and the spaces of vectors
//	l/<time>/<jobId>   up to 32 documents on their way, by when the first of them is looked after
//	q/<importId>       what went wrong with entries of an import that goes on
//	m/<kind>/<docId>   what a move to another embedding model has to come back to
//
// A document of one slice that comes alone writes nine rows on its whole way: document three times (submitted, chunked,
// complete), job twice (submitted, ended), its event once, once the event's removal, and the turns twice. One that waits for
// its turn writes two more, and shares those of the turns, and of its import, with all that were in the same call: 9.2 rows
// where 50 are. A further slice writes the document once more, or less: progress that arrives in one call is written
// once. Progress told again writes nothing.
//
// # Turns
//
// What a tenant has in the queues at once is bounded by a window, in units of work; what does not fit waits here, single
// documents before those of imports. Every generation holds its units from the moment it is let in until it ends, however that
// is, and gives them back in the same transaction, which lets in who is next. There is one function for that, and it
// takes the units from the generation's own row, so nothing is given back twice. See window.
//
// # Watchdog
//
// Everything on its way is listed by when it should have ended. Watch, which the object's alarm calls, sends again what has not got
// on until then, as another event about the same generation, and after three times fails it as stuck. An import is listed until all of its
// entries were taken, and told again to begin until it says what there is.
//
// # Spaces
//
// Everything searchable is in the active embedding space at all times. A generation's row names the other spaces that it is in, or was taken
// for, and whoever removes it is told all of them. One of which every slice is in becomes searchable if it is where it has to be (arrived); else it is held:
// it stays on its way, keeps its turn, and is noted. A move writes two rows for each document that it brings to another space, when it is taken and when it
// is done, and two more for one that became searchable, or was held, meanwhile: its note. See spaces, held, works, move.
//
// Generations of one document may be in flight together and end in any order. The highest that is complete is
// searchable; what is below it is retired: its job is cancelled as superseded, and its vectors are named in the verdicts
// until their removal is confirmed.
package book
