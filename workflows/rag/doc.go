// Package rag is retrieval: a question goes in, the places in a tenant's documents that answer it come out.
//
// A search embeds the question, asks the vector index for the nearest chunks, and asks the ledger which
// generation of each document may be shown; the index alone is never believed, because it still holds the
// chunks of earlier generations for a while. What comes out are Sources, each of which can be shown in the
// stored text of its document by its byte offsets.
package rag
