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
// testdata/platform.mjs is all of that for Miniflare.
package broker
