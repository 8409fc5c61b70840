// Package extract takes the text out of documents: what a reader would read, as UTF-8, in Markdown where the document has
// structure. It decodes, it does not judge.
//
// What becomes of each format: docs/design/ingestion.md, "Formats". The same bytes give the same text, always, because a
// document that is handled twice must be cut twice at the same places.
//
// # Strangers' files
//
// Nothing here trusts what it reads. No input makes it panic (a library that does is recovered), run for long or use more
// memory than some multiples of the document and of MaxText: compressed parts are read up to a limit, no parser recurses
// deeper than a constant, no entity is expanded, and nothing outside the document is looked at.
package extract
