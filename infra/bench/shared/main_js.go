// Command shared is the benchmark's route on this project's runtime: one Go instance for the isolate.
package main

import (
	"levada.dev/infra/bench/route"
	"levada.dev/infra/cloudflare/isolate"
)

func main() {
	isolate.HandleHTTP(route.Handler())
	isolate.Run()
}
