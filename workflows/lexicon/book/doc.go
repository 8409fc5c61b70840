// Package book is the lexical index as SQL: what one shard keeps in the database of its object, how it answers, and the wire between
// the object and corpus.Lexicon at its far end.
//
// A passage is one row and one entry of a contentless FTS5 table: two rows written. FTS5 finds candidates; their score is ours
// (package lexicon), from a few hundred bytes that the passage's row has of its terms.
package book
