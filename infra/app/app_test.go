package app_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"levada.dev/api"
	"levada.dev/infra/app"
)

func TestPrivateNetworksAreClosedUnlessADeploymentIsForSomethingElse(t *testing.T) {
	for environment, open := range map[string]bool{"dev": true, "staging": true, string(api.Production): false, "": false} {
		assert.Equal(t, open, app.Private(environment), environment)
	}
}

func TestStage(t *testing.T) {
	for _, c := range []struct {
		queue, stage string
		dead         bool
	}{
		{"ingest", "ingest", false},
		{"ingest-dlq", "ingest", true},
		{"levada-shared-embed", "embed", false},
		{"levada-shared-embed-dlq", "embed", true},
	} {
		stage, dead := app.Stage(c.queue)
		assert.Equal(t, c.stage, stage, c.queue)
		assert.Equal(t, c.dead, dead, c.queue)
	}
}
