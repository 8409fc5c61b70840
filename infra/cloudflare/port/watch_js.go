package port

import (
	"log/slog"

	"levada.dev/events/meter"
	"levada.dev/events/watch"
	"levada.dev/infra/cloudflare/isolate"
	"levada.dev/infra/logline"
	"levada.dev/infra/stack"
)

// Logs is where the Worker of a role writes its lines, which say the role; code that was given no log writes there, too.
func Logs(worker string) *slog.Logger {
	log := lines().With("worker", worker)
	slog.SetDefault(log)
	return log
}

// lines writes for who says the role itself.
func lines() *slog.Logger { return slog.New(logline.New(isolate.Console{})) }

// defaultTraces is how many of a hundred traces that begin in a Worker are kept, where the variable TRACES does not say.
const defaultTraces = 10

// NewWatch is what notices for the Worker of a role: counts and spans go to the sink, and counts to the Worker's dataset beside it, if it has one; neither, where the
// variable METERING is off.
func NewWatch(worker string, sink meter.Sink) *watch.Watch {
	if Var("METERING", "on") == "off" {
		sink = nil
	} else {
		sink = Beside(sink, worker)
	}
	return watch.New(worker, &watch.Options{
		Log: lines(), Sink: sink, Skip: 100 - int(min(max(Int(stack.TracesVar, defaultTraces), 0), 100)), Background: isolate.Go,
	})
}
