// Package e2e tests the whole platform as its users see it: over HTTP, on real workerd, with its queues, objects and
// stand-ins, started once for all tests with an empty state.
package e2e
