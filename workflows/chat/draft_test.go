package chat

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// However a text is written, a token is one JSON object with that text, and tokens can be joined.
func TestTokens(t *testing.T) {
	texts := []string{"", "plain", `"quoted" \ and`, "line\nand\ttab", "água 水 🙂", "<b>&</b>", "\x00\x1f\x7f", "\u2028"}
	for _, a := range texts {
		for _, b := range texts {
			queue := []Event{{ID: 1, Type: Token, Data: token(a)}, {ID: 2, Type: Token, Data: token(b)}, {ID: 3, Type: Done, Data: encode(ending{})}}
			e, n := first(queue)
			assert.Equal(t, 2, n)
			assert.Equal(t, 2, e.ID)
			var v map[string]string
			require.NoError(t, json.Unmarshal(e.Data, &v), "%s", e.Data)
			assert.Equal(t, map[string]string{"token": a + b}, v)
		}
	}
	assert.Equal(t, `{"token":"<b>&</b>"}`, string(token("<b>&</b>")))
}

func TestWhatIsNotJoined(t *testing.T) {
	for _, queue := range [][]Event{
		{{ID: 1, Type: Sources, Data: token("a")}, {ID: 2, Type: Token, Data: token("b")}},
		{{ID: 1, Type: Token, Data: token("a")}, {ID: 2, Type: Done, Data: token("b")}},
		{{ID: 1, Type: Token, Data: json.RawMessage(`{"other":1}`)}, {ID: 2, Type: Token, Data: token("b")}},
		{{ID: 1, Type: Token, Data: token("a")}},
	} {
		e, n := first(queue)
		assert.Equal(t, 1, n)
		assert.Equal(t, queue[0], e)
	}
}
