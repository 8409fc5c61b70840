// Package call carries a call to the object that keeps something for a tenant, and its answer back: the tenant goes with
// the call, and the object serves no other; a fault comes back as data. [Serve] is the object's end, inside a
// transaction, [Ask] the caller's.
package call
