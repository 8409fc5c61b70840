// Package isolate lets one Go instance serve every event of a Workers isolate.
//
// A Worker's isolate receives many events at a time: HTTP requests, queue batches,
// calls of Durable Objects, alarms, workflow runs. The usual glue starts a new Wasm
// instance for each; this package and its JavaScript half (infra/glue) keep one, which
// is some thirty times cheaper, and keep it correct:
//
//   - Workers ties every I/O object to the I/O context of the event that made it,
//     while the Go scheduler runs whatever goroutine is ready. So each event is a
//     [Task], carried by its context, and an operation first makes sure that the
//     running turn belongs to its task's I/O context, or hops there.
//   - Go's timers, sleeps and deadlines work although each JavaScript timer dies with
//     its event: the one Go timer is handed from event to event.
//   - A client that leaves cancels the context. A panic fails its own event. The death
//     of the instance fails all its events at once, and the next event gets a new one.
//
// A Worker's main registers its handlers and calls [Run]:
//
//	func main() {
//		isolate.HandleHTTP(mux)
//		isolate.Run()
//	}
//
// The rules for handlers are few: pass the event's context to everything that does
// I/O; start goroutines that outlive the answer with [Go]; let every wait also select
// on ctx.Done(); recover in every goroutine you start, because an unrecovered panic
// kills the instance under everybody. README.md explains them and has the figures.
//
// The bindings (levada.dev/infra/cloudflare/kv and its neighbours) are built on
// [Call] and [CallSync]; [Await] and [EnvValue] are the way out for anything else.
package isolate
