// Package corpustest is the suites that every adapter of a port of corpus runs, in memory and on the real thing.
//
// They make names of their own for each run, so an adapter that keeps its state may run them again, and always
// have two tenants who use the same ones. Nothing in them depends on how fast an adapter is.
package corpustest
