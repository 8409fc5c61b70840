// Package nx has no Go: it is the Nx plugin @levada/nx, in TypeScript, with generators and executors that call the levada
// command. The tests are in Go: they hold its schemas against the command's flags, and use it in a workspace of its own.
package nx
