// Package waterfall draws a trace for a terminal.
package waterfall
