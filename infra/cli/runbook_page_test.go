package cli

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// page is a page whose commands are run. They are in blocks of console, where a line that begins with "$ " is a command and the lines below
// it are what it prints, the last one its exit code when that is not 0 ("exit 4"). … stands for what varies: in a line for any text,
// and as a line for any lines. What has happened in the world meanwhile is said in comments: <!-- world: deployed acme prod v1 -->.
type page struct {
	file  string
	steps []step
}

// step is a command, or what the world is told.
type step struct {
	line  int
	text  string
	world bool
	want  []string
	code  int
}

var (
	worldComment = regexp.MustCompile(`^<!-- world: (.*) -->$`)
	exitLine     = regexp.MustCompile(`^exit (\d+)$`)
)

// readPage reads a page. It refuses commands that are written in a way in which they would not be run.
func readPage(t *testing.T, file string) page {
	t.Helper()
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	p, fence := page{file: file}, ""
	for i, line := range strings.Split(string(b), "\n") {
		at := fmt.Sprintf("%s:%d: ", file, i+1)
		switch {
		case strings.HasPrefix(line, "```"):
			if fence == "" {
				fence = line
				require.Contains(t, []string{"```console", "```json"}, fence, at+"a block is console, or json")
			} else {
				fence = ""
			}
		case fence == "```console":
			p.console(t, at, i+1, line)
		case fence != "":
		case worldComment.MatchString(line):
			for _, text := range strings.Split(worldComment.FindStringSubmatch(line)[1], ";") {
				p.steps = append(p.steps, step{line: i + 1, text: strings.TrimSpace(text), world: true})
			}
		default:
			require.False(t, strings.HasPrefix(line, "    "), at+"commands are in blocks of console, where they are run")
			require.False(t, strings.HasPrefix(line, "<!--"), at+"no comment that is understood")
		}
	}
	require.Empty(t, fence, "%s: a block has no end", file)
	return p
}

// console takes a line of a block.
func (p *page) console(t *testing.T, at string, number int, line string) {
	t.Helper()
	if text, ok := strings.CutPrefix(line, "$ "); ok {
		p.steps = append(p.steps, step{line: number, text: text})
		return
	}
	require.NotEmpty(t, p.steps, at+"no command is above it")
	last := &p.steps[len(p.steps)-1]
	require.False(t, last.world, at+"no command is above it")
	switch {
	case strings.HasSuffix(last.text, `\`) && len(last.want) == 0:
		last.text += "\n" + line
	case exitLine.MatchString(line):
		last.code, _ = strconv.Atoi(exitLine.FindStringSubmatch(line)[1]) // it has digits only
	default:
		last.want = append(last.want, line)
	}
}

// prints reports whether lines are as they are wanted.
func prints(want, got []string) bool {
	if len(want) == 0 {
		return len(got) == 0
	}
	if want[0] == "…" {
		return prints(want[1:], got) || len(got) > 0 && prints(want, got[1:])
	}
	return len(got) > 0 && alike(want[0], got[0]) && prints(want[1:], got[1:])
}

// alike reports whether a line is as it is wanted.
func alike(want, got string) bool {
	parts := strings.Split(want, "…")
	for i, part := range parts {
		parts[i] = regexp.QuoteMeta(part)
	}
	return regexp.MustCompile("^" + strings.Join(parts, ".*") + "$").MatchString(got)
}
