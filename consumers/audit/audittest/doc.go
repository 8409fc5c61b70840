// Package audittest is the suite that every audit trail runs, in memory and on the real thing. It makes ids of its own
// for each run, so a trail that keeps its state may run it again.
package audittest
