// Package standins is JavaScript: the Worker whose entrypoints AI and Vectorize
// have the signatures of the platform's bindings and forward to localai and
// localvec. The Go here is its test on real workerd.
package standins
