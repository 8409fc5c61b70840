// Package vectorize is the binding of a Vectorize index.
//
// Writes are asynchronous: they return the id of a mutation, which is visible once
// [Index.Describe] reports it as processed (usually within 30 seconds). A vector has at most
// 1,536 dimensions, an id and a namespace 64 bytes, metadata 10 KiB; a write takes up to
// 1,000 vectors (https://developers.cloudflare.com/vectorize/platform/limits/).
package vectorize
