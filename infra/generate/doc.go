// Package generate writes what the commands levada new make: a tenant, a Worker, a binding, a Durable Object, a Workflow, a
// consumer, a tool. What it writes compiles, has tests, and is registered where the platform looks for it.
//
// A generator reads a checkout and answers a [Plan], which is data: the files as they are and as they are to be. Nothing is
// written before [Plan.Apply], so whatever is refused is refused with the checkout as it was. A plan of what is there already
// changes nothing, so every generator may be run again.
//
// Go files are edited where their syntax tree says that a row belongs, and JSON by its own; both keep their comments. A file
// that a generator made says so in its first line ("//levada:new consumer digest"). One that was edited since is left alone,
// unless it is forced; a file without that line is somebody else's, and is never written over.
package generate
