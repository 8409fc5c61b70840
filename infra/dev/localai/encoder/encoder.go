package encoder

import (
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

const (
	// Dim is the length of every vector.
	Dim = 512
	// Window is how many pieces the network reads at once, about 85 English
	// words. Longer texts are read window by window and averaged.
	Window = 128
)

// Encoder is a loaded model. It is safe for concurrent use.
type Encoder struct {
	vocabulary *vocabulary
	network    *network
	// slots bounds how many passes run at once over all callers, so that a burst
	// of requests queues here and not in the scheduler.
	slots chan struct{}
}

// Open reads the model from the package's dist folder.
func Open(dir string) (*Encoder, error) {
	vocabulary, err := readVocabulary(dir)
	if err != nil {
		return nil, err
	}
	network, err := readNetwork(dir)
	if err != nil {
		return nil, err
	}
	return &Encoder{vocabulary, network, make(chan struct{}, runtime.GOMAXPROCS(0))}, nil
}

// Pieces cuts a text into SentencePiece ids. Zero is an unknown piece.
func (e *Encoder) Pieces(text string) []int32 { return e.vocabulary.encode(text) }

// LogProb is a piece's unigram log probability: how common it is in English,
// known without any corpus of ours. An unknown piece has none and answers zero.
func (e *Encoder) LogProb(piece int32) float64 { return e.vocabulary.scores[piece] }

// Embed answers one unit vector for each text, given as its pieces. A text longer
// than a window is the average of its windows, each weighed by its pieces.
func (e *Encoder) Embed(texts [][]int32) [][]float32 {
	windows := cut(texts)
	pooled := make([][]float32, len(windows))
	passes := group(windows)
	var next atomic.Int64
	var done sync.WaitGroup
	for range min(len(passes), cap(e.slots)) {
		done.Go(func() {
			for i := next.Add(1) - 1; int(i) < len(passes); i = next.Add(1) - 1 {
				e.slots <- struct{}{}
				p := passes[i]
				copy(pooled[p.from:p.to], e.network.run(windows[p.from:p.to]))
				<-e.slots
			}
		})
	}
	done.Wait()

	vectors := make([][]float32, len(texts))
	for i, w := range windows {
		v := vectors[w.text]
		if v == nil {
			vectors[w.text] = pooled[i]
			if len(texts[w.text]) > Window {
				scale(pooled[i], float32(len(w.pieces)))
			}
			continue
		}
		for j, x := range pooled[i] {
			v[j] += x * float32(len(w.pieces))
		}
	}
	for i, v := range vectors {
		if len(texts[i]) > Window {
			Unit(v)
		}
	}
	return vectors
}

// window is a stretch of one text's pieces that the network reads in one go.
type window struct {
	text   int
	pieces []int32
}

func cut(texts [][]int32) []window {
	var windows []window
	for i, pieces := range texts {
		if len(pieces) == 0 {
			pieces = []int32{0}
		}
		for w := range slices.Chunk(pieces, Window) {
			windows = append(windows, window{i, w})
		}
	}
	return windows
}

type span struct{ from, to int }

// passRows is how many pieces go through the network together: enough to reuse
// each weight from the cache, few enough that two processors share one call and
// that a pass's buffers stay near 10 MB.
const passRows = 512

func group(windows []window) []span {
	var spans []span
	from, rows := 0, 0
	for i, w := range windows {
		if rows > 0 && rows+len(w.pieces) > passRows {
			spans = append(spans, span{from, i})
			from, rows = i, 0
		}
		rows += len(w.pieces)
	}
	if from < len(windows) {
		spans = append(spans, span{from, len(windows)})
	}
	return spans
}

// Unit scales v to length one in place and answers it. A zero vector stays zero.
func Unit(v []float32) []float32 {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	if sum > 0 {
		scale(v, float32(1/math.Sqrt(sum)))
	}
	return v
}

func scale(v []float32, by float32) {
	for i := range v {
		v[i] *= by
	}
}
