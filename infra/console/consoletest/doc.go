// Package consoletest opens the console in a real Chromium, on a real platform, and does what operators do.
//
// A flow is a function in a module of flows/, and a subtest here: one browser runs them one after the other, each in a context of its own.
// Flows fail for what a page logs as an error, for what its policy refuses, and for requests to anybody else. docs/design/console.md says
// how one is written.
package consoletest
