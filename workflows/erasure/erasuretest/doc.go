// Package erasuretest has the suite that every store obeys which an erasure sweeps.
package erasuretest
