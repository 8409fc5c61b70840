package main

import (
	"github.com/syumai/workers"

	"levada.dev/infra/bench/route"
)

func main() { workers.Serve(route.Handler()) }
