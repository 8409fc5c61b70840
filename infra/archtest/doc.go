// Package archtest holds the source tree against docs/architecture.md: who may
// import whom, where JavaScript may be touched, what a folder has to contain.
//
// A rule is a function from a Tree to the faults it finds, one line each, that
// starts with the place. The package's own test reads the tree of this module
// and applies every rule:
//
//	go test -count=1 ./infra/archtest
package archtest
