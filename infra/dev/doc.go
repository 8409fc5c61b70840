// Package dev is the whole platform on one machine, offline: the five Workers on real workerd in one Miniflare, with its
// KV, R2, Durable Objects and Workflows, and local stand-ins for what Miniflare does not have or does not have as
// production does: Workers AI with the gateway's log (localai), Vectorize (localvec) and a durable queue broker (broker).
//
// Start builds the Workers, serves the stand-ins on loopback, and runs platform.mjs, a child that holds Miniflare and ends
// with its parent, however that ends. Everything it knows comes from the stack's table. All state is below one folder,
// and a platform that was killed goes on with it.
//
// What Levada runs on can be made to fail: Platform.Disturb has a Worker's calls of its bindings fail before or after their effect, or hang;
// Queue.Disturb has messages come twice, in another order or not at all; the stand-ins answer what models and the gateway answer that are
// down (localai.Trouble). A dataset of Analytics Engine keeps nothing here; Platform.Points is what was written to it.
package dev
