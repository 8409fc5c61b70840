// Package cache is the port to a store of values that may be lost: what is in it saves work, and nothing depends on it.
package cache
