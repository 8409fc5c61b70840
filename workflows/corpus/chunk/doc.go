// Package chunk cuts a text into pieces that an embedding model reads whole.
//
// A cut is made by structure: before a heading rather than a block, before a block rather than a list item, before
// that rather than a sentence or a line, between words only in a sentence that is too long, and inside a word only where
// nothing else is left, and then between grapheme clusters. Code and tables stay whole when they fit. A piece is as
// full as that allows and never fuller than asked.
//
// # What holds
//
// Start and End are byte offsets into the text, and text[Start:End] is the piece's Text. Every visible character is in a
// piece, in order, and without overlap in exactly one. The same text gives the same pieces. Pages and other formats are
// made text before (package extract).
//
// # Size
//
// Tokens are estimated (see Tokens), because a model's vocabulary is megabytes and there is one per model. The
// estimate is meant to be above the truth on prose, code and every script; on random letters it can be below, and then
// the model cuts the end of a piece for itself.
//
// # Time and memory
//
// Both are linear in the text, whatever it is: there is no tree and no recursion. Markdown is read line by line for that
// reason: a parser of all of CommonMark (goldmark 1.8.7) takes 0.15 s for 20 KB of nested quote marks, 1.1 s for
// 40 KB, and holds eleven times the size of an ordinary text. The tests hold our headings against goldmark's. A grapheme cluster of more than 128 code points may be cut.
package chunk
