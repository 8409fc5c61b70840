// Package rows is where the objects of a tenant keep what they know: an ordered map inside a transaction. What decides
// (books of documents, of money, of sessions) is written against it and runs the same in a Durable Object's database, in
// memory and under a test.
package rows
