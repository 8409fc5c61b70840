// Package book decides for a tenant's audit trail: what is appended, chained, found, exported and, when the tenant is erased, forgotten. It is
// written against [rows.Tx], and runs the same in a Durable Object, in memory and under a test.
//
// An entry has two rows, its line under its place and its place under the event's id; one that tells an act has a third, by which acts are found
// among everything else. What is exported and what was erased is one row for all.
package book
