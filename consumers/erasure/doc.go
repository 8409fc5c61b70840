// Package erasure reacts to tenant.erasure.requested: it starts the flow that erases the tenant.
package erasure
