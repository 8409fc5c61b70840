// Package app is the wiring: ports in, handlers out, one constructor for each role. It knows no binding, so the same
// platform runs in workerd and, on the ports in memory, in a test.
package app
