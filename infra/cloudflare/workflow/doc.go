// Package workflow is Cloudflare Workflows: durable runs whose steps are in Go, and
// their client.
//
// A run starts over from the top after a crash or a long sleep, and finished steps
// answer from storage. So the code between steps must be deterministic: no clock, no
// randomness, no I/O outside a step, constant step names. A step runs at least once.
//
// Steps are billed, sleeps and waits included; a step's result and an event's payload
// are at most 1 MiB (https://developers.cloudflare.com/workflows/reference/limits/).
package workflow
