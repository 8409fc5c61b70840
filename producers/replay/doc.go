// Package replay has dead letters sent again. What failed with a document begins anew in the ledger: its next
// generation, from what the failed one was submitted with, or its erasure; a text that was to be spoken is asked for again by who wants it, not here; any other
// message goes out as it was, from the box of letters itself.
package replay
