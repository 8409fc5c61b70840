// Package tools is what models and callers can have done: a [Tool] is a function with a name, a description and JSON Schemas of what it takes
// and returns. A [Registry] is some of them by name, and a [Box] has them run: as far as the caller may, within the tool's time, and on record.
// The platform's own are in package builtin, a file each.
//
// A tool acts for the tenant whose scope it is given, and for no other.
package tools
