package api

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// What a client accepts it names; what it refuses it does not accept.
func TestAccepted(t *testing.T) {
	for _, c := range []struct {
		accept                string
		events, problem, otlp bool
	}{
		{"", false, false, false}, {"*/*", false, false, false}, {",;,", false, false, false},
		{"text/event-stream", true, false, false}, {"Text/Event-Stream ; q=0.5", true, false, false}, {"text/event-stream;=", true, false, false},
		{"text/event-stream;q=0", false, false, false}, {"text/event-stream; q=0.0, application/problem+json", false, true, false},
		{"application/problem+json;q=0, text/event-stream", true, false, false}, {"application/problem+jsonp", false, false, false},
		{"application/json; profile=otlp", false, false, true}, {`application/json;profile="otlp"`, false, false, true},
		{"application/json; profile=otlp; q=0", false, false, false}, {"application/json, text/html; profile=otlp", false, false, false},
	} {
		got := []bool{accepts(c.accept, eventStreamType), accepts(c.accept, problemType), wantsOTLP(c.accept)}
		assert.Equal(t, []bool{c.events, c.problem, c.otlp}, got, c.accept)
	}
}
