// Package cloudflare is the root of everything that talks to the Workers platform.
//
// isolate runs Go on Workers: one instance for all events. The other packages are one
// typed binding each (kv, r2, queue, object, workflow, ai, vectorize, analytics): they
// translate calls and decide nothing. Only this part of the tree, and infra/workers,
// uses syscall/js or go:wasmimport.
package cloudflare
