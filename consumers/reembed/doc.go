// Package reembed reacts to tenant.embedding.requested: it starts the flow that changes the tenant's embedding model.
package reembed
