package port

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestIndexCode(t *testing.T) {
	for message, want := range map[string]int{
		"VECTOR_UPSERT_ERROR (code = 40012): invalid vector for id=\"a\"": 40012,
		"VECTOR_QUERY_ERROR (code = 3000): (code = 40012)":                3000,
		"Network connection lost.":                                        0,
		"VECTOR_QUERY_ERROR (code = ":                                     0,
		"VECTOR_QUERY_ERROR (code = x): y":                                0,
		"":                                                                0,
	} {
		assert.Equal(t, want, indexCode(message), message)
	}
}
