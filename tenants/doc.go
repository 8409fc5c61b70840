// Package tenants says on whose behalf something is done.
//
// A Scope names one tenant and cannot be forged, forgotten or widened: it has no exported field, its zero
// value is refused by every adapter, and only two functions make one, Admit at the edge (after the caller
// was authenticated) and Resume inside (from an envelope that an admitted caller produced). Every key,
// object name, vector namespace, queue event and log line of a tenant is built from its Scope, here.
package tenants
