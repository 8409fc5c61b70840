package generate

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
)

func TestNames(t *testing.T) {
	n, err := parseName("tool", "word-count2", true)
	require.NoError(t, err)
	assert.Equal(t, []string{"word-count2", "WordCount2", "wordcount2", "wordCount2", "WORD_COUNT2", "word count2", "word_count2"},
		[]string{n.Kebab, n.Go(), n.Package(), n.Local(), n.Env(), n.Words(), n.Snake()})
}

func TestBadNamesAreRefused(t *testing.T) {
	for bad, why := range map[string]string{
		"":                             "has no name",
		"a":                            "has 1 characters",
		strings.Repeat("a", maxName+1): "has 25 characters",
		"Digest":                       "cannot be a name",
		"2nd":                          "cannot be a name",
		"-a":                           "cannot be a name",
		"a-":                           "cannot be a name",
		"a--b":                         "cannot be a name",
		"word_count":                   "cannot be a name",
		"../../etc":                    "cannot be a name",
		"a/b":                          "cannot be a name",
		`a\b`:                          "cannot be a name",
		"a.b":                          "cannot be a name",
		"größe":                        "cannot be a name",
		"a b":                          "cannot be a name",
		"a\nb":                         "cannot be a name",
		"func":                         "a word of the language",
		"type":                         "a word of the language",
		"string":                       "a name that the language has",
		"len":                          "a name that the language has",
		"error":                        "a name that the language has",
		"tenants":                      "a name that code around it has",
		"main":                         "a name that code around it has",
		"internal":                     "a name that code around it has",
		"con":                          "a name that code around it has",
		"test-data":                    "a name that code around it has",
	} {
		_, err := parseName("tool", bad, true)
		require.ErrorContains(t, err, why, "%q", bad)
		f := fault.As(err)
		assert.Equal(t, []any{fault.Invalid, "name_invalid", "tool"}, []any{f.Kind, f.Code, f.Field}, "%q", bad)
		assert.NotEmpty(t, f.Hint, "%q", bad)
	}
	_, err := parseName("consumer", "word-count", false)
	assert.ErrorContains(t, err, "cannot be a name", "a stage's name has no hyphens: that of its queue ends behind the last one")
}
