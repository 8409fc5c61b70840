// Package book decides what an object of the class Meters keeps: what was counted for a tenant, by minute, hour and ever, and the traces that are kept.
// It is meter.Meters on ordered rows inside a transaction; [Client] is its far end.
package book
