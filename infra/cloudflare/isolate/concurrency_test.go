//go:build unix

package isolate_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"levada.dev/infra/cloudflare/isolate/workerdtest"
)

func TestConcurrentRequests(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	t.Run("sequential subrequests", func(t *testing.T) {
		allOK(t, many(300, 300, func(i int) workerdtest.Reply {
			return s.Get(fmt.Sprintf("/await?n=5&ms=%d&tag=t%d", 10+i%50, i))
		}), func(i int) string { return quoted("t%d", i) })
	})
	t.Run("parallel subrequests", func(t *testing.T) {
		allOK(t, many(100, 100, func(i int) workerdtest.Reply {
			return s.Get(fmt.Sprintf("/parallel?n=10&ms=20&tag=t%d", i))
		}), func(i int) string { return quoted("t%d", i) })
	})
	t.Run("many short ones", func(t *testing.T) {
		allOK(t, many(3000, 100, func(i int) workerdtest.Reply {
			return s.Get(fmt.Sprintf("/await?ms=%d&tag=t%d", i%10, i))
		}), func(i int) string { return quoted("t%d", i) })
	})
	t.Run("a mutex held over a subrequest", func(t *testing.T) {
		allOK(t, many(100, 100, func(i int) workerdtest.Reply {
			return s.Get(fmt.Sprintf("/mutex?ms=5&tag=t%d", i))
		}), func(i int) string { return quoted("t%d", i) })
	})
	t.Run("goroutines woken by another request", func(t *testing.T) {
		allOK(t, many(100, 100, func(i int) workerdtest.Reply {
			if i%2 == 0 {
				return s.Get(fmt.Sprintf("/wait?id=w%d&io=10", i))
			}
			path, want := fmt.Sprintf("/wake?id=w%d", i-1), http.StatusOK
			var r workerdtest.Reply
			eventually(t, path, func() bool { r = s.Get(path); return r.Status == want })
			return r
		}), func(i int) string {
			if i%2 == 0 {
				return quoted("w%d", i)
			}
			return "ok"
		})
	})
}

func TestHTTP(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	t.Run("request and response", func(t *testing.T) {
		body := strings.Repeat("grüße ", 100)
		r := s.Post("/echo/a%2Fb?q=1&r=%20", body)
		assert.Equal(t, http.StatusNotFound, r.Status, "the mux sees the path")
		r = s.Post("/echo?q=1&r=%20", body)
		assert.Equal(t, http.StatusAccepted, r.Status)
		assert.Equal(t, body, r.Body)
		assert.Equal(t, []string{"a=1", "b=2"}, r.Header["Set-Cookie"])
		assert.Equal(t, "POST", r.Header.Get("X-Method"))
		assert.Equal(t, "/echo?q=1&r=%20", r.Header.Get("X-Uri"))
		assert.Equal(t, fmt.Sprint(len(body)), r.Header.Get("X-Length"))
	})
	t.Run("variables", func(t *testing.T) {
		assert.Equal(t, "[\"hello\",true,false,false,\"hello\"]\n", s.Get("/env").Body)
	})
	t.Run("promises of other code", func(t *testing.T) {
		assert.Equal(t, quoted("backend 5 js"), s.Get("/awaitjs").Body)
		assert.Equal(t, quoted("TypeError: no"), s.Get("/awaitfail").Body)
	})
	t.Run("a panic and a Goexit fail their own request", func(t *testing.T) {
		for _, path := range []string{"/panic", "/goexit"} {
			assert.Equal(t, http.StatusInternalServerError, s.Get(path).Status)
			assert.Equal(t, "pong", s.Get("/ping").Body)
		}
		assert.Equal(t, 1, tables(t, s).Instances)
	})
	t.Run("an aborted response breaks", func(t *testing.T) {
		r := s.Get("/abort")
		assert.Error(t, r.Err)
	})
}
