package cli

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var shellBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")

// Every command of docs/credentials.md does what it is there for, in the order of the page.
func TestTheCommandsOfThePageOnCredentialsWork(t *testing.T) {
	page, err := os.ReadFile("../../docs/credentials.md")
	require.NoError(t, err)
	root, vaults := twoShops(t)
	ran := 0
	for _, block := range shellBlock.FindAllStringSubmatch(string(page), -1) {
		for line := range strings.Lines(block[1]) {
			args, ok := strings.CutPrefix(strings.TrimSpace(line), "levada ")
			require.True(t, ok, line)
			var code int
			var errs string
			if args, _, reads := strings.Cut(args, " < "); strings.HasPrefix(args, "secret ") {
				run := func() { code, _, errs = secrets(t, root, vaults, strings.Fields(args)[1:]...) }
				if reads {
					typed(t, "sk_live_0123456789\n", run)
				} else {
					run()
				}
			} else {
				code, _, errs = levada(t, append([]string{"--root", root}, strings.Fields(args)...)...)
			}
			assert.Equal(t, exitOK, code, "%s: %s", line, errs)
			ran++
		}
	}
	assert.GreaterOrEqual(t, ran, 8)
}
