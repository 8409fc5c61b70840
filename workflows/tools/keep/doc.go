// Package keep is what is kept of calls of tools that have a key: the port [Calls], and what goes through it. What it decides is in tools/book.
package keep
