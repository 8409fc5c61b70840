//go:build unix

package isolate_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/cloudflare/isolate/workerdtest"
)

func TestStreams(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	for _, by := range []string{"sleep", "io", "ctx"} {
		t.Run("a hundred event streams paced by "+by, func(t *testing.T) {
			allOK(t, many(100, 100, func(i int) workerdtest.Reply {
				return s.Get(fmt.Sprintf("/sse?id=s%d&n=20&ms=%d&by=%s", i, 10+i%20, by))
			}), func(i int) string {
				var b strings.Builder
				for k := range 20 {
					fmt.Fprintf(&b, "data: s%d %d\n\n", i, k)
				}
				return b.String()
			})
		})
	}
	t.Run("proxied streams", func(t *testing.T) {
		allOK(t, many(50, 50, func(int) workerdtest.Reply { return s.Get("/proxy?stream=10&ms=10") }), func(int) string {
			return "chunk 0\nchunk 1\nchunk 2\nchunk 3\nchunk 4\nchunk 5\nchunk 6\nchunk 7\nchunk 8\nchunk 9\n"
		})
	})
	t.Run("a large response", func(t *testing.T) {
		r := s.Get("/big?n=3000000")
		assert.NoError(t, r.Err)
		assert.Len(t, r.Body, 3_000_000)
	})
}

// A client that is behind is waited for, whichever operation of the instance that is: the first, or one after so many that their numbers begin again.
func TestEveryWriteIsWaitedFor(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	get := func() {
		r := s.Get("/big?n=300000")
		require.NoError(t, r.Err, "it never ended")
		require.Len(t, r.Body, 300_000)
	}
	get()
	require.Equal(t, "done", s.Get("/operations?n=4085").Body, "there are some more numbers")
	for range 20 {
		get()
	}
}

// pattern is what /send sends.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

type digest struct {
	Bytes  int
	Sum    string
	Length any
}

func digestOf(b []byte, length any) digest {
	return digest{len(b), fmt.Sprintf("%x", sha256.Sum256(b)), length}
}

func TestUploads(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	big := pattern(3 << 20)
	post := func(path string, body io.Reader) workerdtest.Reply {
		return s.Send(context.Background(), http.MethodPost, path, body)
	}
	t.Run("of known length", func(t *testing.T) {
		for _, r := range many(10, 10, func(int) workerdtest.Reply { return post("/upload", bytes.NewReader(big)) }) {
			assert.Equal(t, digestOf(big, float64(len(big))), decode[digest](t, r))
		}
	})
	t.Run("slow, of unknown length", func(t *testing.T) {
		for _, r := range many(20, 20, func(int) workerdtest.Reply {
			in, out := io.Pipe()
			go func() {
				for i := range 15 {
					_, _ = out.Write(big[i*100 : i*100+100])
				}
				out.Close()
			}()
			return post("/upload", in)
		}) {
			assert.Equal(t, digestOf(big[:1500], float64(-1)), decode[digest](t, r))
		}
	})
	t.Run("made in Go", func(t *testing.T) {
		for _, n := range []int{0, 1, 64 << 10, 64<<10 + 1, 500_000} {
			want := digestOf(pattern(n), fmt.Sprint(n))
			if n > 0 {
				assert.Equal(t, want, decode[digest](t, s.Get(fmt.Sprintf("/send?n=%d&sized=1", n))), "%d bytes, sized", n)
				got := decode[digest](t, s.Get(fmt.Sprintf("/send?n=%d", n)))
				assert.Equal(t, want.Sum, got.Sum, "%d bytes", n)
			}
		}
	})
	t.Run("whose source breaks", func(t *testing.T) {
		r := s.Get("/send?n=500000&fail=200000")
		assert.Equal(t, http.StatusInternalServerError, r.Status)
		assert.Contains(t, r.Body, "the source broke")
	})
	t.Run("passed on", func(t *testing.T) {
		got := decode[digest](t, post("/forward", bytes.NewReader(big)))
		assert.Equal(t, digestOf(big, nil).Sum, got.Sum)
		small := decode[digest](t, post("/forward", strings.NewReader("small")))
		assert.Equal(t, digestOf([]byte("small"), "5"), small)
	})
	require.Zero(t, quiet(t, s).Stats.Host.Streams)
}

// A request and its answer are a conversation: what is written goes out although nothing follows it yet, and is answered before the body ends.
func TestConversations(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	allOK(t, many(40, 20, func(i int) workerdtest.Reply { return s.Get(fmt.Sprintf("/talk?id=t%d&n=25", i)) }), func(int) string { return "0\n" })
	allOK(t, many(20, 20, func(i int) workerdtest.Reply { return s.Get(fmt.Sprintf("/talk?id=t%d&n=3&leave=1", i)) }), func(int) string { return "\"left\"\n" })
	require.Zero(t, quiet(t, s).Stats.Host.Streams)
}
