// Package tally counts what a JSON text holds before anything is built of it. A value of two bytes takes hundreds of them as a tree, so the
// length of a text does not bound the memory that it needs: whoever builds a tree of what strangers send asks here first.
package tally
