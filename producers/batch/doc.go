// Package batch takes documents in by the thousand: a stream of lines, each a document, becomes the parts of one import while it is
// read. A line that is no document is named and left out, the others go on. However long the stream is, one line and one part of it are in memory.
package batch
