// Package workerdtest builds Go Workers and runs them on real workerd, for tests.
//
// [Start] runs workerd itself, which is enough for HTTP, service bindings and Durable
// Objects and is up in a fraction of a second. [StartMiniflare] adds the simulators of
// KV, R2, Queues, Workflows and Analytics Engine. Ports are chosen by the system, state
// lives in a temporary folder (in memory where the system has /dev/shm, because each new SQLite
// database waits for the disk), and the processes end with the test.
package workerdtest
