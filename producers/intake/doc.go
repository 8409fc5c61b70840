// Package intake takes documents in: it checks what a client hands over, stores the text and submits it to the
// tenant's ledger, which tells document.submitted.
//
// # What is left when a submission fails
//
// The text is stored first, under a key that derives from the document's id and the text itself, so trying again
// stores the same object. Until the ledger has taken the submission nothing refers to it and no client can see it. When
// the ledger refuses, or turns out to have accepted the same request before, the text goes away again if the id was
// made here, because then nobody else can be using the key. Under an id of the client's it stays: another
// generation may be made of the same text, or be on its way to. It is at most one object for each different text, is
// taken up by the next submission of it, and goes when the document is erased. When it is unknown whether the
// ledger has taken the submission, the text stays in any case.
package intake
