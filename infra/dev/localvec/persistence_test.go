package localvec

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/dev/devtest"
)

var docs = Options{Indexes: map[string]Index{"docs": small}}

func TestReopen(t *testing.T) {
	dir := devtest.Dir(t)
	c := open(t, dir, docs)
	c.write("upsert", item{id: "a", namespace: "acme", values: []float32{1, 0}, metadata: map[string]any{"kind": "doc"}}, item{id: "b", values: []float32{0, 1}})
	c.write("insert", item{id: "c", values: []float32{1, 1}})
	last := c.remove("b")
	info := c.describe()
	require.NoError(t, c.store.Close())

	c = open(t, dir, docs)
	assert.Equal(t, info, c.describe())
	assert.Equal(t, last, c.describe().ProcessedMutation)
	assert.Equal(t, []string{"a", "c"}, c.ids([]float32{1, 0}, nil))
	assert.Equal(t, []string{"a"}, c.ids([]float32{1, 0}, map[string]any{"namespace": "acme", "filter": map[string]any{"kind": "doc"}}))
	require.NoError(t, c.store.Close())
}

// TestKilledWhileWriting cuts the file at every byte of its last record: what a
// kill in the middle of the write leaves. The index then has everything before it,
// and takes new mutations.
func TestKilledWhileWriting(t *testing.T) {
	dir := devtest.Dir(t)
	path := filepath.Join(dir, "docs.vec")
	c := open(t, dir, docs)
	first := c.write("upsert", item{id: "a", values: []float32{1, 0}})
	before := size(t, path)
	c.write("upsert", item{id: "b", namespace: "acme", values: []float32{0, 1}, metadata: map[string]any{"kind": "doc"}}, item{id: "a", values: []float32{0, 1}})
	require.NoError(t, c.store.Close())
	whole, err := os.ReadFile(path)
	require.NoError(t, err)

	for end := before; end < int64(len(whole)); end++ {
		require.NoError(t, os.WriteFile(path, whole[:end], 0o644))
		c := open(t, dir, docs)
		info := c.describe()
		require.Equal(t, 1, info.VectorCount, "cut at %d", end)
		require.Equal(t, first, info.ProcessedMutation)
		require.Equal(t, before, size(t, path), "the torn record is gone")
		c.write("upsert", item{id: "z", values: []float32{0, 1}})
		require.NoError(t, c.store.Close())
		c = open(t, dir, docs)
		require.Equal(t, []string{"z", "a"}, c.ids([]float32{0, 1}, nil))
		require.NoError(t, c.store.Close())
	}
	for end := range int64(headerSize) {
		require.NoError(t, os.WriteFile(path, whole[:end], 0o644))
		c := open(t, dir, docs)
		require.Zero(t, c.describe().VectorCount)
		require.NoError(t, c.store.Close())
	}
}

func TestDamage(t *testing.T) {
	dir := devtest.Dir(t)
	path := filepath.Join(dir, "docs.vec")
	c := open(t, dir, docs)
	c.write("upsert", item{id: "a", values: []float32{1, 0}})
	middle := size(t, path)
	c.write("upsert", item{id: "b", values: []float32{1, 0}})
	require.NoError(t, c.store.Close())
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	flip := func(at int64) error {
		damaged := append([]byte(nil), whole...)
		damaged[at] ^= 0x40
		require.NoError(t, os.WriteFile(path, damaged, 0o644))
		s, err := Open(dir, docs)
		if err == nil {
			c := client{t, s, "docs"}
			assert.Equal(t, []string{"a"}, c.ids([]float32{1, 0}, nil))
			require.NoError(t, s.Close())
		}
		return err
	}
	assert.ErrorContains(t, flip(middle-1), "checksum", "damage before the end is not silently dropped")
	assert.NoError(t, flip(int64(len(whole))-1), "a last record that a power cut left half-written is cut")
	assert.ErrorContains(t, flip(0), "is not an index")
	require.NoError(t, os.WriteFile(path, whole, 0o644))
	_, err = Open(dir, Options{Indexes: map[string]Index{"docs": {Dimensions: 3}}})
	assert.ErrorContains(t, err, "has 2 dimensions, the configuration says 3")
}

func TestDelay(t *testing.T) {
	dir, clock := devtest.Dir(t), newClock()
	options := docs
	options.Now, options.Delay = clock.Now, 30*time.Second
	c := open(t, dir, options)
	first := c.write("upsert", item{id: "a", values: []float32{1, 0}})
	assert.Equal(t, Info{Dimensions: 2}, c.describe(), "accepted, not visible")
	assert.Empty(t, c.query([]float32{1, 0}, nil))

	clock.now = clock.now.Add(10 * time.Second)
	require.Equal(t, http.StatusOK, c.do("PUT", "/delay", []byte(`{"ms":0}`)).Code)
	assert.JSONEq(t, `{"ms":0}`, c.do("GET", "/delay", nil).Body.String())
	second := c.remove("a")
	assert.Zero(t, c.describe().VectorCount, "a later mutation does not overtake an earlier one")

	// What is accepted but invisible survives the process.
	require.NoError(t, c.store.Close())
	c = open(t, dir, options)
	assert.Zero(t, c.describe().VectorCount)
	clock.now = clock.now.Add(20 * time.Second)
	info := c.describe()
	assert.Equal(t, second, info.ProcessedMutation)
	assert.Equal(t, "2026-11-22T12:00:10.000Z", info.ProcessedDatetime)
	assert.NotEqual(t, first, second)

	c.store.SetDelay(time.Minute)
	c.write("upsert", item{id: "b", values: []float32{1, 0}})
	c.store.SetDelay(2 * time.Minute)
	third := c.write("insert", item{id: "b", values: []float32{0, 1}}, item{id: "c", values: []float32{0, 1}})
	clock.now = clock.now.Add(time.Minute)
	assert.Equal(t, []string{"b"}, c.ids([]float32{1, 0}, nil))
	clock.now = clock.now.Add(time.Minute)
	assert.Equal(t, []string{"b", "c"}, c.ids([]float32{1, 0}, nil), "insert keeps what an earlier mutation put")
	assert.Equal(t, third, c.describe().ProcessedMutation)
	require.NoError(t, c.store.Close())
}

func TestCompaction(t *testing.T) {
	dir := devtest.Dir(t)
	path := filepath.Join(dir, "docs.vec")
	c := open(t, dir, docs)
	items := make([]item, maxBatch)
	for i, v := range random(1, maxBatch, 2) {
		items[i] = item{id: fmt.Sprint("id-", i), namespace: fmt.Sprint("t", i%3), values: v, metadata: map[string]any{"kind": fmt.Sprint("k", i%7), "pad": fmt.Sprintf("%0100d", i)}}
	}
	for range 12 {
		c.write("upsert", items...)
	}
	last := c.remove("id-0", "id-1")
	want := c.query([]float32{1, 1}, map[string]any{"topK": 50, "returnMetadata": "all"})
	info := c.describe()
	require.NoError(t, c.store.Close())
	before := size(t, path)
	require.NoError(t, os.WriteFile(path+".new", []byte("left by a killed compaction"), 0o644))

	c = open(t, dir, docs)
	assert.Less(t, size(t, path), before/10)
	assert.Equal(t, info, c.describe())
	assert.Equal(t, last, c.describe().ProcessedMutation)
	assert.Equal(t, want, c.query([]float32{1, 1}, map[string]any{"topK": 50, "returnMetadata": "all"}))
	c.write("upsert", item{id: "after", namespace: "t9", values: []float32{1, 1}})
	require.NoError(t, c.store.Close())
	c = open(t, dir, docs)
	assert.Equal(t, []string{"after"}, c.ids([]float32{1, 1}, map[string]any{"namespace": "t9"}))
	assert.Equal(t, info.VectorCount+1, c.describe().VectorCount)
	require.NoError(t, c.store.Close())
	assert.NoFileExists(t, path+".new")
}

// TestCompactionOfNothing: an emptied index keeps its last mutation.
func TestCompactionOfNothing(t *testing.T) {
	dir := devtest.Dir(t)
	c := open(t, dir, docs)
	c.write("upsert", item{id: "a", values: []float32{1, 0}, metadata: map[string]any{"pad": fmt.Sprintf("%09000d", 1)}})
	for i := range 200 {
		c.write("upsert", item{id: "a", values: []float32{1, float32(i)}, metadata: map[string]any{"pad": fmt.Sprintf("%09000d", 1)}})
	}
	last := c.remove("a")
	require.NoError(t, c.store.Close())
	for range 2 {
		c = open(t, dir, docs)
		assert.Less(t, size(t, filepath.Join(dir, "docs.vec")), int64(200))
		assert.Equal(t, last, c.describe().ProcessedMutation)
		assert.Zero(t, c.describe().VectorCount)
		require.NoError(t, c.store.Close())
	}
}

func size(t *testing.T, path string) int64 {
	info, err := os.Stat(path)
	require.NoError(t, err)
	return info.Size()
}
