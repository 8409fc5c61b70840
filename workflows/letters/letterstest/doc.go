// Package letterstest is the suite that every box of dead letters runs, in memory and on the real thing. It makes names of its
// own for each run, so a box that keeps its state may run it again.
package letterstest
