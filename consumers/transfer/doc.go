// Package transfer reacts to tenant.transfer.requested: it starts the flow that brings the tenant here from another pool.
package transfer
