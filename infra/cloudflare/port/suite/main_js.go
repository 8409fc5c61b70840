// Command suite is a Worker that runs the suites of the ports on their adapters, where the adapters belong: inside of
// an event, on real bindings. POST /<suite> runs one and answers whether it passed; what testing says about
// it, subtest by subtest, is in the Worker's log.
package main

import (
	"flag"
	"fmt"
	"net/http"
	"testing"

	"levada.dev/infra/cloudflare/isolate"
	"levada.dev/infra/cloudflare/queue"
)

func main() {
	testing.Init()
	if err := flag.CommandLine.Parse([]string{"-test.v"}); err != nil {
		panic(err) // the flags are testing's own
	}
	arrived := newArrivals()
	queue.Consume(arrived.take)
	isolate.HandleHTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.URL.Path[1:]
		suite, ok := suites(event{r.Context()}, arrived)[name]
		if !ok {
			http.NotFound(w, r)
			return
		}
		code := testing.MainStart(deps{}, []testing.InternalTest{{Name: name, F: suite}}, nil, nil, nil).Run()
		fmt.Println("END", name) // of what the log says
		fmt.Fprint(w, code == 0)
	}))
	isolate.Run()
}
