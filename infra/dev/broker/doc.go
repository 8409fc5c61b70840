// Package broker is JavaScript: the Worker that stands in for Cloudflare Queues
// on the local platform. Unlike Miniflare's own broker it keeps its messages on
// disk, runs several batches at a time and follows production's rules for
// acknowledgement (docs/decisions/0003-durable-local-broker.md). The Go here is
// its test on real workerd, and the list of the rules it promises.
//
// The Worker has the modules broker.mjs (the main one), queue.mjs, object.mjs,
// backlog.mjs, content.mjs, settings.mjs and v8.mjs, and needs:
//
//   - the compatibility flag service_binding_extra_handlers;
//   - the namespace BROKER of its own class Broker, with SQLite, never evicted;
//   - the JSON binding QUEUES, an object by queue name; settings.mjs lists the
//     settings of a queue and their defaults;
//   - for each consumer that QUEUES names, a service binding of that name.
//
// A queue binding of another Worker is a service binding to the entrypoint
// Queue with the props {queue: name}. The entrypoint's method wake goes on with
// what was there before a restart; without it delivery starts again by itself
// within a few seconds, by an alarm.
//
// testdata/platform.mjs is all of that for Miniflare. Two processes must not have
// the same state: workerd outlives a Node that is killed, so end the group.
//
// Of production it leaves out: the limits of 5,000 messages a second and 25 GB for
// each queue, the retention (messages are kept until they are settled), the slow
// growth of concurrency, pull consumers, and the about 100 bytes of metadata that
// production counts to a message's size.
package broker
