// Command testworker is the Worker of the runtime's own tests: a route for each thing
// that can go wrong when events share a Go instance, and one for each capability of a
// binding.
package main

import (
	"net/http"

	"levada.dev/infra/cloudflare/isolate"
)

func main() {
	mux := http.NewServeMux()
	plainRoutes(mux)
	timerRoutes(mux)
	streamRoutes(mux)
	deathRoutes(mux)
	memoryRoutes(mux)
	objectRoutes(mux)
	storeRoutes(mux)
	modelRoutes(mux)
	talkRoutes(mux)
	queueRoutes(mux)
	workflowRoutes(mux)
	isolate.HandleHTTP(mux)
	isolate.Run()
}
