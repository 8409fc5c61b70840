// Package builtin is the platform's own tools, a file each: levada new tool writes another.
package builtin
