package contract

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheDocumentOfTheEnvironment(t *testing.T) {
	none, err := read("")
	require.NoError(t, err)
	assert.Nil(t, none)
	one, err := read("testdata/openapi.json")
	require.NoError(t, err)
	assert.Equal(t, Root, one.root)
	_, err = read("testdata/none.json")
	assert.Error(t, err)
}
