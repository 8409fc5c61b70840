// Package verify holds a trail to its hashes: each entry to its own, each to the one before it, the chain to segments of it that were exported and to
// a hash that somebody has noted. It computes each hash anew from the line alone, by a library of RFC 8785 and not by what has written it.
package verify
