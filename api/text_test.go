package api

import (
	"encoding/base64"
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
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

// A base64 is decoded where it stands: what is written never overtakes what is read.
func TestBase64IsDecodedWhereItStands(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	for n := range 300 {
		want := make([]byte, n)
		for i := range want {
			want[i] = byte(dice.Uint32())
		}
		encoded := base64.StdEncoding.EncodeToString(want)
		for at := dice.IntN(20); at < len(encoded); at += dice.IntN(20) + 1 {
			encoded = encoded[:at] + "\n" + encoded[at:] // lines are allowed
		}
		body, err := json.Marshal(map[string]string{"base64": encoded})
		require.NoError(t, err)
		var req ingestRequest
		require.NoError(t, json.Unmarshal(body, &req))
		got, err := req.text()
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	for _, wrong := range []string{"=", "AAA", "AA=A", "AAAA=", "AAAAAAAAAAA-", "AAAAAAAA AAA"} {
		req := ingestRequest{Base64: text(wrong)}
		_, err := req.text()
		assert.Equal(t, "base64", fault.As(err).Field, wrong)
	}
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
