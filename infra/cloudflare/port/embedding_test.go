package port

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestVectorsReadsWhatEncodingJSONReads(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	want := make([][]float32, 7)
	for i := range want {
		want[i] = make([]float32, 384)
		for j := range want[i] {
			want[i][j] = rnd.Float32()*2 - 1
		}
	}
	want[0][0], want[0][1], want[0][2] = 0, -1, 1.5e-30
	body, err := json.MarshalIndent(map[string]any{"shape": []int{7, 384}, "data": want, "pooling": "cls"}, "", " ")
	require.NoError(t, err)

	got, err := vectors(body, 7, 384)
	require.NoError(t, err)
	assert.Equal(t, want, got)
}

func TestVectorsRefusesWhatIsNotWhatWasAskedFor(t *testing.T) {
	for name, body := range map[string]string{
		"empty":           ``,
		"no data":         `{"shape":[1,2]}`,
		"too few vectors": `{"data":[[1,2]]}`,
		"too many":        `{"data":[[1,2],[3,4],[5,6]]}`,
		"too short":       `{"data":[[1],[3,4]]}`,
		"too long":        `{"data":[[1,2,3],[3,4]]}`,
		"null":            `{"data":null}`,
		"null inside":     `{"data":[[1,null],[3,4]]}`,
		"text":            `{"data":[["1",2],[3,4]]}`,
		"cut":             `{"data":[[1,2],[3,`,
		"no number":       `{"data":[[1,--2],[3,4]]}`,
		"out of range":    `{"data":[[1,1e99],[3,4]]}`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := vectors([]byte(body), 2, 2)
			assert.Error(t, err)
		})
	}
}

// forever is an answer that goes on.
type forever struct{ read int }

func (f *forever) Read(b []byte) (int, error) {
	f.read += len(b)
	return len(b), nil
}

func TestNoMoreIsReadThanAnAnswerCanHave(t *testing.T) {
	endless := &forever{}
	_, err := readAnswer(endless, 100, 1024)
	require.NoError(t, err)
	assert.Less(t, endless.read, 5<<20)

	want := make([][]float32, 100)
	for i := range want {
		want[i] = slices.Repeat([]float32{-1.2345678e-30}, 1024)
	}
	row := "[\n" + strings.Repeat("    -1.2345678000000001e-30,\n", 1023) + "    -1.2345678000000001e-30\n]"
	longest := `{"shape":[100,1024],"data":[` + strings.Repeat(row+",\n", 99) + row + `]}`
	body, err := readAnswer(strings.NewReader(longest), 100, 1024)
	require.NoError(t, err)
	got, err := vectors(body, 100, 1024)
	require.NoError(t, err)
	assert.Equal(t, want, got)
}

func BenchmarkVectors(b *testing.B) {
	row := "[" + strings.Repeat("-0.03125612,", 1023) + "0.1]"
	body := []byte(`{"shape":[100,1024],"data":[` + strings.Repeat(row+",", 99) + row + `]}`)
	b.Run("ours", func(b *testing.B) {
		for b.Loop() {
			if _, err := vectors(body, 100, 1024); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding/json", func(b *testing.B) {
		for b.Loop() {
			var v struct{ Data [][]float32 }
			if err := json.Unmarshal(body, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
}
