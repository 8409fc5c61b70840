package e2e

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The most that is told of a log.
const (
	maxComplaints    = 60
	maxComplaintLong = 400
)

// complaint is a line that may say why a test has failed: a warning or an error, or how an instance of Go died.
var complaint = regexp.MustCompile(`"level":"(WARN|ERROR)"|^(fatal error|panic|error|runtime): |out of memory`)

// complaints are the last complaints of a log, the oldest first.
func complaints(log io.Reader) (last []string, err error) {
	lines := bufio.NewReader(log)
	for err == nil {
		var line string
		if line, err = lines.ReadString('\n'); complaint.MatchString(line) {
			line = strings.TrimSpace(line)
			last = append(last[max(0, len(last)+1-maxComplaints):], line[:min(len(line), maxComplaintLong)])
		}
	}
	if err == io.EOF {
		err = nil
	}
	return last, err
}

// explain tells what the Workers of a platform have complained of.
func explain(w io.Writer, log string) {
	f, err := os.Open(log)
	if err != nil {
		fmt.Fprintln(w, err)
		return
	}
	defer f.Close()
	last, err := complaints(f)
	fmt.Fprintf(w, "the shared platform's last complaints (at most %d):\n", maxComplaints)
	for _, line := range last {
		fmt.Fprintln(w, "  "+line)
	}
	if err != nil {
		fmt.Fprintln(w, err)
	}
}

func TestComplaints(t *testing.T) {
	long := `{"level":"ERROR","msg":"` + strings.Repeat("x", 1000) + `"}`
	last, err := complaints(strings.NewReader(`{"level":"INFO","msg":"request"}` + "\n" + long + "\nruntime: out of memory: cannot allocate\ngoroutine 1\nerror: Go instance 1 died\nfatal error: x"))
	require.NoError(t, err)
	assert.Equal(t, []string{long[:maxComplaintLong], "runtime: out of memory: cannot allocate", "error: Go instance 1 died", "fatal error: x"}, last)
	last, err = complaints(strings.NewReader(strings.Repeat("error: x\n", 1000) + "error: y\n"))
	require.NoError(t, err)
	assert.Len(t, last, maxComplaints)
	assert.Equal(t, "error: y", last[maxComplaints-1])
}
