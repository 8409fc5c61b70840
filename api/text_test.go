package api

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var literals = []string{
	`""`, `"a"`, `"água"`, `"\n"`, `"a\"b\\c\/d\b\f\n\r\t"`, `"\u00e1\u00E1\u2028"`, `"\ud83d\ude00 \uD83D\uDE00"`, `"👩‍👩‍👧‍👦"`,
	`"\u0000"`, `"\\u0041"`, `"\\\u0041"`, `"\u0041\\"`,
}

func TestTextIsWhatEncodingJSONReads(t *testing.T) {
	for _, literal := range literals {
		var want string
		require.NoError(t, json.Unmarshal([]byte(literal), &want))
		var got text
		require.NoError(t, json.Unmarshal([]byte(literal), &got))
		assert.NotNil(t, got, literal)
		assert.Equal(t, want, string(got), literal)
	}
	var req ingestRequest
	require.NoError(t, json.Unmarshal([]byte(`{"text":null}`), &req))
	assert.Nil(t, req.Text)
}

// FuzzText holds text against encoding/json, for all that form lets pass.
func FuzzText(f *testing.F) {
	for _, literal := range literals {
		f.Add(literal)
	}
	form := formOf[ingestRequest]()
	f.Fuzz(func(t *testing.T, literal string) {
		req, err := form.decode([]byte(`{"text":` + literal + `}`))
		if err != nil {
			return
		}
		var want struct{ Text *string }
		require.NoError(t, json.Unmarshal([]byte(`{"text":`+literal+`}`), &want))
		if want.Text == nil {
			require.Nil(t, req.Text)
			return
		}
		require.Equal(t, *want.Text, string(req.Text))
	})
}
