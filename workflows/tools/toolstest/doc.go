// Package toolstest is the suites of tools: of Calls, which every adapter has to pass, and of the Runner, natively and in a Worker; and tools that
// do what tools should not.
package toolstest
