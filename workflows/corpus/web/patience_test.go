package web_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/corpus/web"
)

func fetchWith(t *testing.T, do web.Do, o corpus.FetchOptions) (corpus.Fetched, error) {
	t.Helper()
	config := func(context.Context, tenants.ID) (*tenants.Config, error) {
		return &tenants.Config{Limits: tenants.Limits{DocumentBytes: 10 * corpus.LargeFetch}}, nil
	}
	return web.New(do, config, time.Now, nil).Fetch(t.Context(), tenantstest.Scope(t, "acme"), "https://example.com/", o)
}

// TestASilentServer is given up when its patience is over; one that has begun to answer has the whole time.
func TestASilentServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent := func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		}
		for patience, want := range map[time.Duration]time.Duration{5 * time.Second: 5 * time.Second, 0: web.MaxTime, time.Hour: web.MaxTime} {
			began := time.Now()
			_, err := fetchWith(t, silent, corpus.FetchOptions{Patience: patience})
			assert.Equal(t, []any{fault.Unavailable, "fetch_failed"}, []any{fault.KindOf(err), fault.As(err).Code})
			assert.Equal(t, want, time.Since(began), "on the test's own clock")
		}
		slow := func(*http.Request) (*http.Response, error) {
			r, w := io.Pipe()
			go func() {
				time.Sleep(10 * time.Second)
				_, _ = w.Write([]byte("at last"))
				_ = w.Close()
			}()
			return &http.Response{StatusCode: http.StatusOK, ContentLength: -1, Header: http.Header{}, Body: r}, nil
		}
		got, err := fetchWith(t, slow, corpus.FetchOptions{Patience: 5 * time.Second})
		require.NoError(t, err)
		assert.Equal(t, "at last", string(got.Body))
	})
}

// TestALargeDocumentWaitsForRoom, whether its server says how long it is or not.
func TestALargeDocumentWaitsForRoom(t *testing.T) {
	for _, size := range []int{0, 1, corpus.LargeFetch - 1, corpus.LargeFetch, corpus.LargeFetch + 1, 3 * corpus.LargeFetch} {
		for _, said := range []int{size, -1, 1} { // it may be the length of something packed
			page := bytes.Repeat([]byte("0123456789"), size/10+1)[:size]
			do := func(*http.Request) (*http.Response, error) {
				resp := &http.Response{StatusCode: http.StatusOK, ContentLength: int64(said), Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(page))}
				return resp, nil
			}
			asked := 0
			got, err := fetchWith(t, do, corpus.FetchOptions{Large: func(_ context.Context, bytes int64) error {
				asked++
				assert.GreaterOrEqual(t, bytes, int64(size))
				return nil
			}})
			require.NoError(t, err)
			assert.True(t, bytes.Equal(page, got.Body), "%d bytes, said %v", size, said)
			assert.LessOrEqual(t, asked, 1)
			assert.Equal(t, size >= corpus.LargeFetch, asked == 1, "%d bytes, said %v", size, said)
			_, err = fetchWith(t, do, corpus.FetchOptions{Large: func(context.Context, int64) error {
				return fault.Unavailablef(errors.New("full"), "fetch_failed", "no room")
			}})
			assert.Equal(t, size >= corpus.LargeFetch, err != nil, "%d bytes", size)
		}
	}
}
