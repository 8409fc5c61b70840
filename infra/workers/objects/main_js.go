// Command objects is the entry point of the role that hosts the Durable Objects. It is on the path of every request
// and stays small.
package main

import (
	"time"

	"levada.dev/events"
	"levada.dev/infra/cloudflare/isolate"
	"levada.dev/infra/cloudflare/object"
	"levada.dev/infra/cloudflare/objects"
	"levada.dev/infra/cloudflare/port"
	"levada.dev/infra/cloudflare/queue"
	"levada.dev/infra/cloudflare/r2"
)

func main() {
	port.Logs("objects")
	out := events.NewPublisher(port.Queues(), port.NewClaims(r2.Open("CORPUS")), nil)
	objects.RegisterLedger(out, objects.Backlog{
		Measure: port.Backlog(queue.Open("INGEST")), Max: port.Int("MAX_BACKLOG", objects.DefaultMaxBacklog),
	}, time.Now)
	objects.RegisterAudit(r2.Open("CORPUS"), time.Now)
	objects.RegisterQuota(out, time.Now)
	objects.RegisterSession(out, port.NewShelf(object.Open("SHELF")), time.Now)
	objects.RegisterShelf(time.Now)
	objects.RegisterLetters(out, time.Now)
	objects.RegisterCalls(time.Now)
	objects.RegisterSpeech(out, port.NewSounds(r2.Open("CORPUS")), time.Now)
	objects.RegisterMeters(out, time.Now)
	objects.RegisterLexicon(nil)
	isolate.Run()
}
