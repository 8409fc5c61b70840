// Package fetch is the consumer of documents that are given by their address: it gets them and stores them, and says that they are here. It has
// a queue of its own, so that nothing waits for servers but what is to be had from them.
package fetch
