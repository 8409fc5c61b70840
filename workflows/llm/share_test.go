package llm_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"levada.dev/workflows/llm"
)

func TestSharesLoseNothing(t *testing.T) {
	texts := []string{"", "a", "terraced fields above the sea", strings.Repeat("levada ", 500), "água"}
	for _, total := range []int{1, 2, 7, 100, 12_345, 1 << 40} {
		sum := int64(0)
		for i, n := range (llm.Embedded{Tokens: total}).Shares(texts) {
			assert.GreaterOrEqual(t, n, int64(0), "text %d of %d tokens", i, total)
			sum += n
		}
		assert.Equal(t, int64(total), sum)
	}
	shares := llm.Embedded{Tokens: 1000}.Shares(texts)
	assert.Greater(t, shares[3], shares[2], "a longer text takes more")
	assert.Empty(t, llm.Embedded{Tokens: 5}.Shares(nil))
}

func TestSharesOfASilentProviderAreEstimates(t *testing.T) {
	shares := llm.Embedded{}.Shares([]string{"terraced fields above the sea", ""})
	assert.Equal(t, []int64{10, 2}, shares, "what the account books for them, too")
}
