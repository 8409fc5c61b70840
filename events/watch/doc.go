// Package watch notices what is done for tenants. A thing is noticed once, as a span; from it come a line of the log, what the meters count, and the span
// in its trace. So the three agree, and what a span has no room for is in none of them.
package watch
