// Package erase removes what is stored of a document that was deleted, and makes sure that it is gone.
//
// A deletion takes the document out of every search at once; that is the ledger's part. What is left are its vectors and its
// texts. The consumer looks for them, removes them, and looks again. It tells the ledger what it has seen both times, so the receipt
// counts what was found before anything was removed, also when the consumer dies in between. The index shows writes later than it takes
// them: only when it has caught up with the time of the deletion, and shows nothing of the document then, is nothing left. Until
// then the event is tried again, for a quarter of an hour; after that the job fails, and a further deletion goes on where it stopped.
//
// What is written later is not its business: a slice that is late is told that it is stale, and its writer removes it; a text that was
// stored before the erasure and is submitted after it is refused by the ledger, and stored again by whoever submits it.
//
// What a receipt does not speak of: answers of models that are cached, since an answer is only cached that was given to a prompt
// of the caller's own, without a search; what was said in sessions, where an answer may quote a source; and events on their way or
// claimed, which are gone when they were handled or have expired.
package erase
