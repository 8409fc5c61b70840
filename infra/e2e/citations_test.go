package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What a turn says of a tenant's documents is held against them: in the stream, also of a client that was cut off and came back, in the answer
// that comes in one piece, and in the session, all the same. Another tenant's document of the same name is another one.
func TestATurnShowsWhereItStands(t *testing.T) {
	t.Parallel()
	years := map[string]string{"alder": "1959", "birch": "1931"}
	words := []string{"The lighthouse of Ponta was built ", "in 1959 [1]. ", "It exports oil ", "to Norway [1]. ", "Shall I go on?"}
	message := script(map[string]any{"tokens": words, "delayMs": 40})
	for tenant, year := range years {
		t.Run(tenant, func(t *testing.T) {
			t.Parallel()
			u := as(t, tenant)
			u.index(document{DocID: "cited/lighthouse", Source: "cited", Text: "Cliffs are high there. The lighthouse of Ponta was built in " + year + ". Its lamp is green."})
			content := u.do(http.MethodGet, "/documents/"+url.PathEscape("cited/lighthouse")+"/content", nil).Body
			rests := map[string]any{"rag": map[string]any{"topK": 1, "filter": map[string]any{"source": "cited"}}}
			built := year == "1959"

			s, err := u.say(message, rests)
			require.NoError(t, err)
			heard, err := s.some(2)
			require.NoError(t, err)
			s.close()
			back, err := u.resume(s.Stream, heard[len(heard)-1].ID)
			require.NoError(t, err)
			rest, err := back.rest()
			require.NoError(t, err)
			all := append(heard, rest...)
			assert.Equal(t, "done", inOrder(t, all).Type)
			found := cited(t, all)
			require.Len(t, found, 2)
			assert.Equal(t, []any{1, "cited/lighthouse", "The lighthouse of Ponta was built in 1959.", built},
				[]any{found[0].Marker, found[0].DocID, found[0].Sentence, found[0].Supported})
			assert.Equal(t, "The lighthouse of Ponta was built in "+year+".", found[0].Quote)
			assert.Equal(t, found[0].Quote, string(content[found[0].Start:found[0].End]), "byte for byte")
			assert.Equal(t, []any{1, "It exports oil to Norway.", false}, []any{found[1].Marker, found[1].Sentence, found[1].Supported})

			again, err := u.resume(s.Stream, 0)
			require.NoError(t, err)
			whole, err := again.rest()
			require.NoError(t, err)
			assert.Equal(t, strings.Join(words, ""), said(whole))
			assert.Equal(t, found, cited(t, whole), "from the beginning")
			h := u.history(s.Session)
			require.Len(t, h.Messages, 2)
			assert.Equal(t, strings.Join(words, ""), h.Messages[1].Content)
			assert.Equal(t, found, h.Messages[1].Citations)

			var one struct {
				Message   string
				Citations []citation
			}
			rests["message"], rests["stream"] = message, false
			u.do(http.MethodPost, "/chat", rests).into(t, &one)
			assert.Equal(t, strings.Join(words, ""), one.Message)
			assert.Equal(t, found, one.Citations)
		})
	}
}
