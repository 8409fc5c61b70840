// Package replay has dead letters sent again. A document's letter begins the next generation of the document, from what the
// failed one was submitted with; any other message goes out as it was, from the box of letters itself.
package replay
