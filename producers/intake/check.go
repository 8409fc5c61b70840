package intake

import "levada.dev/workflows/corpus"

// Check reports the first mistake in a draft, as Prepare would, and stores nothing: for doors that take many at a time, and say at once what is
// wrong with which.
func Check(d corpus.Draft) error { return check(d) }
