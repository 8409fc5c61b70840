// Package reembedtest is the suite of the ports of a change of the embedding model.
package reembedtest
