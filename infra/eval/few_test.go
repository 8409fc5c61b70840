package eval_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/eval"
	"levada.dev/infra/memory"
)

// filler is what else stands in a long document.
var filler = strings.Fields(`The building has three floors and a cellar in which the workers keep tools ropes and lamps for the winter months when snow closes the
road to the village and the mail comes once a week by mule across the northern pass where a small chapel marks the border of the parish and travellers rest
before they go down to the coast with baskets of fruit cheese and wool for the market that is held on the square every second Saturday of the month under the old
lime trees planted by the first mayor whose portrait hangs in the school beside a map of the island and a clock that has not worked since the storm took the roof`)

// long is a sentence in the middle of so many other words.
func long(sentence string, words int) string {
	var b strings.Builder
	for i := range words {
		if i == words/2 {
			b.WriteString(sentence + " ")
		}
		b.WriteString(filler[(i*7)%len(filler)] + " ")
		if i%17 == 16 {
			b.WriteString(". ")
		}
	}
	return b.String()
}

// Among a handful of documents the one that has the question's rare word is the first, however long it is and however much the others look like the
// question: what the words alone find first here, both halves together do.
func TestALongDocumentWithTheRareWord(t *testing.T) {
	for _, c := range []struct {
		question string
		sentence string   // of the long document
		alike    []string // short ones
	}{
		{"Where is the zorbulator?", "The zorbulator stands behind the mill.", []string{"Where is the pool?", "Where is the car?", "Where is the office?"}},
		{"Who has the quernstone?", "The quernstone is dressed by Ana Lima each autumn.", []string{"Who has the key?", "Who has the van today?", "Who owns the mill?"}},
		{"What is E4711?", "E4711 says that the valve is stuck.", []string{"What is E17?", "What is an error code?", "What is this?", "What is wrong?"}},
		{"When does Kestrel work?", "Kestrel covers the nights from Friday on.", []string{"When does Falcon work?", "When do we work?", "When does my team start?", "Who works this week?"}},
	} {
		for _, words := range []int{60, 300} {
			docs := []eval.Document{{ID: "long", Text: long(c.sentence, words)}}
			for i, text := range c.alike {
				docs = append(docs, eval.Document{ID: fmt.Sprint("short", i), Text: text})
			}
			s := newSmoke(t, eval.Collection{Documents: docs})
			for _, mode := range []string{"keyword", "hybrid"} {
				found, _, err := s.ask(t.Context(), mode, c.question)
				require.NoError(t, err)
				assert.Equal(t, "long", found[0], "%s %q among %v", mode, c.question, found)
			}
		}
	}
}

// TestStudyOfFewDocuments cuts collections into so few documents each, and tells how well each mode answers the questions that their own documents do:
// LEVADA_IR is the folder of collections.
func TestStudyOfFewDocuments(t *testing.T) {
	folder := os.Getenv("LEVADA_IR")
	if folder == "" {
		t.Skip("LEVADA_IR names no folder of collections")
	}
	for _, name := range []string{"xquad-en", "xquad-de", "cranfield", "scifact"} {
		c, err := eval.Load(filepath.Join(folder, name))
		require.NoError(t, err)
		answers := map[string]bool{}
		for _, q := range c.Questions {
			for id := range q.Answers {
				answers[id] = true
			}
		}
		docs := slices.DeleteFunc(slices.Clone(c.Documents), func(d eval.Document) bool { return !answers[d.ID] })
		rand.New(rand.NewPCG(1, 2)).Shuffle(len(docs), func(i, k int) { docs[i], docs[k] = docs[k], docs[i] })
		docs = docs[:min(len(docs), 240)]
		whole := newSmoke(t, eval.Collection{Documents: docs})
		for _, size := range []int{2, 3, 5, 10, 20, 40} {
			mrr, asked := map[string]float64{}, 0
			for part := range slices.Chunk(docs, size) {
				s := *whole
				s.lexicon, s.vectors = memory.NewLexicon(), memory.NewVectors(time.Now)
				s.fill(part)
				for _, q := range c.Questions {
					if !slices.ContainsFunc(part, func(d eval.Document) bool { return q.Answers[d.ID] > 0 }) {
						continue
					}
					asked++
					for _, mode := range eval.Modes {
						found, _, err := s.ask(t.Context(), mode, q.Text)
						require.NoError(t, err)
						if i := slices.IndexFunc(found, func(id string) bool { return q.Answers[id] > 0 }); i >= 0 {
							mrr[mode] += 1 / float64(i+1)
						}
					}
				}
			}
			t.Logf("%-9s %2d documents, %4d questions: keyword %.4f, vector %.4f, hybrid %.4f", name, size, asked,
				mrr["keyword"]/float64(asked), mrr["vector"]/float64(asked), mrr["hybrid"]/float64(asked))
		}
	}
}
