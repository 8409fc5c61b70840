// Package builtin is the platform's own tools, a file each: levada new tool writes another.
//
// What a tool takes and returns are Go types. Their schemas are in schema/<tool>.input.json and schema/<tool>.output.json, derived from the types
// by a test: go test ./workflows/tools/builtin -update.
//
// All of them answer offline, and the same each time. Offsets are of characters (Unicode code points), as are lengths: text is what stands in the
// input from start_offset up to end_offset.
package builtin
