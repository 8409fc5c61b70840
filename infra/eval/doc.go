// Package eval measures how good searches and answers are: it takes collections of documents, questions and what answers them through
// the platform as clients do. Searches are compared with a BM25 of its own on the same documents. Answers are held against the
// documents, not against what the platform says of itself; and they are asked for what a collection does not answer.
//
// A collection is a folder with corpus.jsonl ({"_id","title","text"}), queries.jsonl ({"_id","text"}) and qrels.tsv (question,
// document, grade; a heading line). That is how public collections are handed out (BEIR); none is part of the project, but for a
// small one of its own in testdata, which is scored in every test run and must not get worse.
package eval
