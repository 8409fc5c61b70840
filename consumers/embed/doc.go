// Package embed is the second consumer of a document: it gives chunks their vectors.
package embed
