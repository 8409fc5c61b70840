// Package clienttest connects a client with a handler in the same process.
package clienttest
