// Package object is Durable Objects in Go: classes and their clients.
//
// A class is registered with [Register] and exported under the same name by the
// Worker's entry module. All objects of an isolate live in its one Go instance; each
// is an ordinary Go value with a [State], created before its first event is handled,
// and again, from storage, after an eviction or the death of the instance. So memory is a
// cache and storage ([DB]) is the truth.
//
// # Concurrency
//
// Several events of an object may be in progress at a time, as in JavaScript: while one
// waits, others run. Go code that does not wait is not interrupted by another event,
// with one exception: an allocation may start a garbage collection and let another
// goroutine run. So protect fields with a mutex, and read-modify-write of the
// database with [DB.Txn], which is both atomic and isolated.
//
// # Durability
//
// An answer leaves the object only after everything it wrote is durable (the platform's
// output gate). Statements that run without a wait in between are written as one: after
// a crash there are all of them or none. Returning an error does not undo them; a
// failed [DB.Txn] does.
package object
