// Package wasmcap limits the memory of a WebAssembly module.
//
// Go's modules declare no maximum, so a Worker that leaks grows until the platform
// kills its isolate, at 128 MB, with everything in it. With a maximum below that, Go
// itself runs out of memory first, which the runtime (infra/cloudflare/isolate)
// survives: the events in progress fail and the next one finds a new instance.
package wasmcap
