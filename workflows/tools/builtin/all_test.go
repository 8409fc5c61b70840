package builtin

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/tenants"
	"levada.dev/workflows/tools"
)

func TestAllCanBeCalled(t *testing.T) {
	_, err := tools.New(All(Deps{})...)
	require.NoError(t, err)
}

// A tool that no configuration could name could not be enabled.
func TestConfigurationsCanNameThem(t *testing.T) {
	for _, tool := range All(Deps{}) {
		assert.Contains(t, tenants.PlatformTools(), tool.Name)
		assert.JSONEq(t, string(tool.Input.Text()), string(Inputs()[tool.Name]))
	}
	assert.Len(t, Inputs(), len(tenants.PlatformTools()))
}
