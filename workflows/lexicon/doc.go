// Package lexicon is what a lexical index does with terms, wherever it keeps them: what a passage is stored as, how a question
// scores it, what a filter means. The index itself is in package book; one that only lives in memory is in infra/memory.
//
// Nothing here knows a language: terms arrive as they are to be compared.
package lexicon
