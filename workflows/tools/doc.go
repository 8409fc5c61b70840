// Package tools is what models and callers can have done: a [Tool] is a function with a name, a description and a JSON Schema of what it
// takes. A [Registry] is some of them by name. The tools themselves are in package builtin, a file each.
//
// A tool acts for the tenant whose scope it is given, and for no other.
package tools
