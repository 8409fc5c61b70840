// Command suite is a Worker that runs the suites of the ports on their adapters, where the adapters belong: inside of
// an event, on real bindings. POST /<suite> runs one and answers whether it passed; what testing says about
// it, subtest by subtest, is in the Worker's log.
package main

import (
	"flag"
	"fmt"
	"net/http"
	"testing"
	"time"

	"levada.dev/infra/cloudflare/isolate"
	"levada.dev/infra/cloudflare/object"
	"levada.dev/infra/cloudflare/port"
	"levada.dev/infra/cloudflare/queue"
	"levada.dev/workflows/flow/flowtest"
)

// probe is what the runs of the suite do. They are in this isolate, too, so that it sees what they note.
var probe flowtest.Probe

func main() {
	testing.Init()
	if err := flag.CommandLine.Parse([]string{"-test.v"}); err != nil {
		panic(err) // the flags are testing's own
	}
	arrived := newArrivals()
	queue.Consume(arrived.take)
	registerSuites()
	port.RegisterFlow("Probe", probe.Flow, 10*time.Millisecond)
	isolate.HandleHTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.URL.Path[1:]
		if _, ok := inObject[name]; ok {
			passed, err := object.Open("SUITE").Named("suite").Call(r.Context(), name, nil)
			fmt.Fprintf(w, "%s", passed)
			if err != nil {
				fmt.Fprint(w, err)
			}
			return
		}
		suite, ok := suites(event{r.Context()}, arrived)[name]
		if !ok {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, run(name, suite))
	}))
	isolate.Run()
}

// run runs a suite and reports whether it passed.
func run(name string, suite func(*testing.T)) bool {
	code := testing.MainStart(deps{}, []testing.InternalTest{{Name: name, F: suite}}, nil, nil, nil).Run()
	fmt.Println("END", name) // of what the log says
	return code == 0
}
