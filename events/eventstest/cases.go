package eventstest

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// Case is a request of the conformance corpus of CloudEvents, and whether it is to be accepted.
type Case struct {
	ID, Mode string
	Expect   string // accept, reject; anything else leaves it open
	Headers  [][2]string
	Body     []byte `json:"-"`
}

// HeaderPairs is the headers' names and values in turn.
func (c Case) HeaderPairs() (pairs []string) {
	for _, h := range c.Headers {
		pairs = append(pairs, h[0], h[1])
	}
	return pairs
}

// SharedCases runs the cases of the file that LEVADA_CLOUDEVENTS_CASES names, if there is one. run reports whether it had a
// use for the case; some must.
func SharedCases(t *testing.T, run func(c Case) bool) {
	file := os.Getenv("LEVADA_CLOUDEVENTS_CASES")
	if file == "" {
		return
	}
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	ran := 0
	for lines.Scan() {
		var c struct {
			Case
			B64 string
		}
		require.NoError(t, json.Unmarshal(lines.Bytes(), &c))
		c.Body, err = base64.StdEncoding.DecodeString(c.B64)
		require.NoError(t, err)
		if run(c.Case) {
			ran++
		}
	}
	require.NoError(t, lines.Err())
	require.NotZero(t, ran)
	t.Log(ran, "cases")
}
