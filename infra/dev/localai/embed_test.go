package localai

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func (c client) embed(model string, texts ...string) [][]float32 {
	r := c.run(model, object{"text": texts}, acme(nil))
	require.Equal(c, 200, r.status, r.body)
	var answer struct {
		Shape []int
		Data  [][]float32
	}
	require.NoError(c, json.Unmarshal([]byte(r.body), &answer))
	require.Equal(c, []int{len(texts), len(answer.Data[0])}, answer.Shape)
	return answer.Data
}

func TestEveryEmbeddingModel(t *testing.T) {
	c := start(t, Options{})
	for model, size := range map[string]int{
		"@cf/baai/bge-m3": 1024, "@cf/baai/bge-small-en-v1.5": 384, "@cf/baai/bge-base-en-v1.5": 768,
		"@cf/baai/bge-large-en-v1.5": 1024, "@cf/qwen/qwen3-embedding-0.6b": 1024, "@cf/google/embeddinggemma-300m": 768,
		"@local/embed-hash": 1024, "@local/embed-hash-384": 384, "@local/embed-hash-1536": 1536,
	} {
		t.Run(model, func(t *testing.T) {
			texts := []string{"How do I reset my password?", "Changing a forgotten password of your account", "Penguins swim in cold seas"}
			vectors := c.embed(model, texts...)
			for i, v := range vectors {
				require.Len(t, v, size)
				assert.InDelta(t, 1, math.Sqrt(float64(dot(v, v))), 1e-4)
				assert.Equal(t, v, c.embed(model, texts[i])[0], "alone or together, the vector is the same")
			}
			assert.Greater(t, dot(vectors[0], vectors[1]), dot(vectors[0], vectors[2])+0.05)
			log := c.last()
			assert.Equal(t, "embeddings", log.ModelType)
			assert.Positive(t, log.TokensIn)
			assert.Zero(t, log.TokensOut)
			if strings.HasPrefix(model, "@cf/") {
				assert.Positive(t, log.Cost)
			}
		})
	}
}

func TestEmbeddingShapes(t *testing.T) {
	c := start(t, Options{})
	for name, row := range map[string]struct {
		model  string
		inputs any
		shape  string
	}{
		"one text":    {"@cf/baai/bge-m3", object{"text": "x"}, "[1,1024]"},
		"hundred":     {"@local/embed-hash", object{"text": manyTexts(100)}, "[100,1024]"},
		"queries":     {"@cf/qwen/qwen3-embedding-0.6b", object{"queries": "x", "instruction": "find"}, "[1,1024]"},
		"documents":   {"@cf/qwen/qwen3-embedding-0.6b", object{"documents": []string{"x", "y"}}, "[2,1024]"},
		"stop words":  {"@local/embed-hash", object{"text": "the of and"}, "[1,1024]"},
		"not English": {"@cf/baai/bge-m3", object{"text": "日本語のテキスト ☃"}, "[1,1024]"},
		"long":        {"@cf/baai/bge-small-en-v1.5", object{"text": strings.Repeat("many words ", 2000)}, "[1,384]"},
	} {
		t.Run(name, func(t *testing.T) {
			r := c.run(row.model, row.inputs, acme(nil))
			require.Equal(t, 200, r.status, r.body)
			shape, err := json.Marshal(r.json(t)["shape"])
			require.NoError(t, err)
			assert.Equal(t, row.shape, string(shape))
		})
	}
	r := c.run("@cf/baai/bge-m3", object{"query": "reset a password", "contexts": []object{{"text": "penguins"}, {"text": "a new password"}}}, acme(nil))
	require.Equal(t, 200, r.status, r.body)
	scores := r.json(t)["response"].([]any)
	assert.Greater(t, scores[1].(object)["score"], scores[0].(object)["score"])
	assert.Equal(t, 1.0, scores[1].(object)["id"])
}

// TestVectorsAreStable: vectors of one version are searched by another, so a change
// of hashing, weights or projection must be a decision. Wrong here means old
// indexes are useless, not that the new vectors are bad.
func TestVectorsAreStable(t *testing.T) {
	c := start(t, Options{})
	assert.InDeltaSlice(t, []float32{0, 0, 0.18922344, -0.35851943, 0, -0.5561826, 0, -0.7254786},
		c.server.composite.lexical("The harbour closes at noon, the harbours do.", 8), 1e-6)
	for model, want := range map[string][]float32{
		"@cf/baai/bge-small-en-v1.5": {-0.035484757, -0.033122797, -0.016584218, -0.115256116},
		"@cf/baai/bge-m3":            {-0.022959232, 0.02031816, 0.03974154, 0.019960955},
	} {
		v := c.embed(model, "The harbour closes at noon.")[0]
		assert.InDeltaSlice(t, want, v[:4], 1e-5, model)
	}
}

// TestWindow: what lies past a model's window does not change the vector's meaning
// half, and is not paid.
func TestWindow(t *testing.T) {
	c := start(t, Options{})
	long := strings.Repeat("the river runs to the sea and ", 200)
	vector := c.embed("@cf/baai/bge-large-en-v1.5", long)[0]
	assert.Equal(t, 512, c.last().TokensIn)
	longer := c.embed("@cf/baai/bge-large-en-v1.5", long+"accountants")[0]
	assert.Equal(t, vector[0]/vector[1], longer[0]/longer[1])
}

func manyTexts(n int) []string {
	texts := make([]string, n)
	for i := range texts {
		texts[i] = fmt.Sprint("text ", i)
	}
	return texts
}

// BenchmarkEmbed is a whole call: a hundred texts of about a hundred tokens.
func BenchmarkEmbed(b *testing.B) {
	texts := make([]string, 100)
	for i := range texts {
		texts[i] = strings.Repeat(fmt.Sprint("Function ", i, " reads from the buffered input until the first delimiter. "), 8)
	}
	for _, model := range []string{"@cf/baai/bge-m3", "@local/embed-hash"} {
		b.Run(model, func(b *testing.B) {
			c := start(b, Options{})
			for b.Loop() {
				r := c.run(model, object{"text": texts}, nil)
				require.Equal(b, 200, r.status)
			}
			b.ReportMetric(float64(b.N*len(texts))/b.Elapsed().Seconds(), "texts/s")
		})
	}
}

func TestACallIsHeld(t *testing.T) {
	c := start(t, Options{})
	const model = "@cf/baai/bge-small-en-v1.5"
	held, let := c.server.Hold("patience")
	answered := make(chan int)
	go func() {
		answered <- c.run(model, object{"text": []string{"harmless", "some patience"}}, acme(nil)).status
	}()
	<-held
	c.embed(model, "harmless")
	select {
	case status := <-answered:
		t.Fatal("answered while it is held: ", status)
	default:
	}
	let()
	assert.Equal(t, 200, <-answered)
	c.embed(model, "some patience")
}

func TestATextIsRefusedForAsLongAsItIsSaid(t *testing.T) {
	c := start(t, Options{})
	const model = "@cf/baai/bge-small-en-v1.5"
	c.server.Refuse("cyanide")
	r := c.run(model, object{"text": []string{"harmless", "a pinch of cyanide"}}, acme(nil))
	assert.Equal(t, 400, r.status, r.body)
	c.embed(model, "harmless")
	c.server.Refuse("")
	c.embed(model, "a pinch of cyanide")
}
