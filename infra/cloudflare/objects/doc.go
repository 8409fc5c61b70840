// Package objects is the Durable Object classes: a tenant's ledger of documents, its audit trail, its money and rates, its
// dead letters, the calls of its tools that have a key, its jobs that speak, what is counted for it, its sessions and the shelf that lists them, and the shards of its lexical index. An object carries bytes between its callers and the domain's decisions, and
// commits; what is decided is in the books: workflows/corpus/book, tenants/quota/book, workflows/chat/book,
// workflows/letters/book, workflows/tools/book, workflows/speech/book, workflows/lexicon/book, events/meter/book.
//
// An object serves one tenant, by whose scope it is named: one of each class, a Session for each conversation, a Lexicon for each shard.
// Callers reach them through infra/cloudflare/port.
package objects
