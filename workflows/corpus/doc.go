// Package corpus is a tenant's documents: how one becomes searchable, what is known of it on the way, and
// where its text and vectors are kept.
//
// A document is submitted again and again under one id; each time is a generation. Its text is stored, cut
// into chunks, embedded and indexed by consumers that know nothing of each other and may run twice, late
// or out of order. The Ledger is what makes that safe: it is the one place that says which generation a
// search may show, and it fences out the work of every other.
package corpus
