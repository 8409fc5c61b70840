package port

import (
	"log/slog"

	"levada.dev/events/meter"
	"levada.dev/events/watch"
	"levada.dev/infra/cloudflare/isolate"
)

// defaultTraces is how many of a hundred traces that begin in a Worker are kept, where the variable TRACES does not say.
const defaultTraces = 10

// NewWatch is what notices for the Worker of a role: lines go to log, counts and spans to the sink, unless the variable METERS is off.
func NewWatch(worker string, log *slog.Logger, sink meter.Sink) *watch.Watch {
	if Var("METERS", "on") == "off" {
		sink = nil
	}
	return watch.New(worker, &watch.Options{
		Log: log, Sink: sink, Skip: 100 - int(min(max(Int("TRACES", defaultTraces), 0), 100)), Background: isolate.Go,
	})
}
