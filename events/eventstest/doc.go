// Package eventstest helps to test what publishes and consumes events: memory doubles that check the rules of their
// ports while they work and fail when told to, and the suites that every adapter of a port runs.
package eventstest
