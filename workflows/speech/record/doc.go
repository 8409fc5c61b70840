// Package record makes takes: it has the missing parts of an order spoken, keeps them, and tells the booth.
package record
