package rows

// Swept says what a sweep of rows that are kept for a time has left.
type Swept struct {
	More bool // there is more to forget now
	Left bool // there is something that will be forgotten later
}
