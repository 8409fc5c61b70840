// Package chunk is the first consumer of a document: it cuts the text and tells how many slices there are.
package chunk
