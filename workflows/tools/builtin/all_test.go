package builtin

import (
	"testing"

	"github.com/stretchr/testify/require"

	"levada.dev/workflows/tools"
)

func TestAllCanBeCalled(t *testing.T) {
	_, err := tools.New(All()...)
	require.NoError(t, err)
}
