package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"levada.dev/events/fault"
	"levada.dev/events/trace"
	"levada.dev/tenants"
)

type healthAnswer struct {
	Status      string      `json:"status"`
	Tenant      tenants.ID  `json:"tenant,omitempty"` // when the request names one
	Version     string      `json:"version"`
	VersionID   string      `json:"versionId,omitempty"` // of the deployed Worker
	Environment Environment `json:"environment"`
	Timestamp   time.Time   `json:"timestamp"`
}

// health says that the Worker runs. It asks nothing it depends on but the directory, and lives without its answer.
func health(c *call) error {
	answer := healthAnswer{Status: "ok", Version: c.opts.Version, VersionID: c.opts.VersionID, Environment: c.opts.Environment, Timestamp: c.start.UTC()}
	if c.resolve() == nil {
		answer.Tenant = c.config.ID
		c.allowOrigin()
	}
	return c.ok(http.StatusOK, answer)
}

type readyAnswer struct {
	Status string       `json:"status"`
	Checks []probeCheck `json:"checks"`
}

type probeCheck struct {
	Name       string  `json:"name"`
	DurationMs float64 `json:"durationMs"`
}

// ready asks each dependency, all at once, and waits as long as Options.ProbeLimit for the slowest.
func ready(c *call) error {
	ctx, cancel := context.WithTimeout(c.ctx(), c.opts.ProbeLimit)
	defer cancel()
	type outcome struct {
		probe int
		took  time.Duration
		err   error
	}
	outcomes := make(chan outcome, len(c.Probes))
	for i, p := range c.Probes {
		go func() {
			o := outcome{probe: i, err: fault.New(fault.Internal, "probe_panic", p.Name, nil)}
			defer func() {
				_ = recover() // the outcome says so already
				outcomes <- o
			}()
			o.err = p.Check(ctx)
			o.took = c.opts.Now().Sub(c.start)
		}()
	}
	checks := make([]probeCheck, len(c.Probes))
	failing := make([]string, 0, len(c.Probes))
	var cause error
	answered := make([]bool, len(c.Probes))
	for range c.Probes {
		select {
		case o := <-outcomes:
			answered[o.probe] = o.err == nil
			checks[o.probe] = probeCheck{c.Probes[o.probe].Name, trace.Milliseconds(o.took)}
			if o.err != nil {
				cause = o.err
			}
		case <-ctx.Done():
			cause = ctx.Err()
		}
	}
	for i, ok := range answered {
		if !ok {
			failing = append(failing, c.Probes[i].Name)
		}
	}
	if len(failing) > 0 {
		return withDetails(fault.Unavailablef(cause, "not_ready", "not answering: %s", strings.Join(failing, ", ")), details{Failing: failing})
	}
	return c.ok(http.StatusOK, readyAnswer{"ready", checks})
}
