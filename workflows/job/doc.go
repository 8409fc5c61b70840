// Package job is long work that a client can follow: what state it is in, how far it got, what went wrong.
package job
