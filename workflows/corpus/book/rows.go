package book

// The rows of a book, by what their keys begin with; the outbox has its own.
const (
	documentPrefix = "d/"
	documentsEnd   = "d0" // after every document
	jobPrefix      = "j/"
	jobsEnd        = "j0" // after every job
	receiptPrefix  = "i/"
	waitingPrefix  = "w/"
	watchPrefix    = "l/"
	problemsPrefix = "q/"
	notesPrefix    = "m/"
	turnsKey       = "turns"
	erasureKey     = "erasure"
	transferKey    = "transfer"
	asidePrefix    = "x/" // of the outbox: what it could not send
)
