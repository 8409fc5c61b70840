// Command stock is the benchmark's route on the stock glue of github.com/syumai/workers: a Go instance for each request.
package main

import (
	"github.com/syumai/workers"

	"levada.dev/infra/bench/route"
)

func main() { workers.Serve(route.Handler()) }
