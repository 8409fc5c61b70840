package localai

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestLogForgets: of each gateway only the newest calls are kept, in memory and,
// after an opening, in the file.
func TestLogForgets(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "gateway.jsonl")
	j, err := openJournal(dir, 3)
	require.NoError(t, err)
	for i := range 30 {
		require.NoError(t, j.write(line{Gateway: "a", Log: &Log{ID: fmt.Sprint("a", i)}}))
	}
	require.NoError(t, j.write(line{Log: &Log{ID: "u"}}))
	score := 5.0
	require.NoError(t, j.write(line{Gateway: "a", ID: "a28", Patch: &Patch{Score: &score}}))
	require.NoError(t, j.write(line{Gateway: "a", ID: "a0", Patch: &Patch{Score: &score}}), "of a forgotten call")
	require.NoError(t, j.close())
	before, err := os.Stat(path)
	require.NoError(t, err)

	for range 2 {
		j, err = openJournal(dir, 3)
		require.NoError(t, err)
		after, err := os.Stat(path)
		require.NoError(t, err)
		assert.Less(t, after.Size(), before.Size()/4)
		logs := j.list("a")
		assert.Equal(t, []string{"a27", "a28", "a29"}, []string{logs[0].ID, logs[1].ID, logs[2].ID})
		assert.Equal(t, &score, logs[1].Score)
		assert.Len(t, j.list(""), 1)
		_, found := j.find("a", "a26")
		assert.False(t, found)
		require.NoError(t, j.close())
	}
}
