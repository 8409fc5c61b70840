package line_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/infra/mcp/line"
	"levada.dev/infra/mcp/line/linetest"
)

// back answers with what it was asked; /cut breaks off.
var back = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	w.Header().Set("X-Asked", r.Header.Get("X-Ask"))
	w.WriteHeader(http.StatusTeapot)
	fmt.Fprintf(w, "%s %s %s", r.Method, r.URL.RequestURI(), b)
	if r.URL.Path == "/cut" {
		panic(http.ErrAbortHandler)
	}
})

func serve(t *testing.T, h func(w http.ResponseWriter, r *http.Request, ask line.Ask)) (*httptest.ResponseRecorder, error) {
	t.Helper()
	rec := httptest.NewRecorder()
	err := line.Line{Do: linetest.Do(line.Handler(h))}.Serve(rec, httptest.NewRequest("POST", "/mcp?x=1", strings.NewReader("hello")), back)
	return rec, err
}

func TestQuestionsAreAnsweredWithinTheRequest(t *testing.T) {
	large := bytes.Repeat([]byte("x"), 1<<20)
	rec, err := serve(t, func(w http.ResponseWriter, r *http.Request, ask line.Ask) {
		said, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprintf(w, "%s %s;", r.URL.RequestURI(), said)
		for i := range 3 {
			resp, err := ask(line.Question{Method: "PUT", Target: fmt.Sprintf("/a?n=%d", i), Header: http.Header{"X-Ask": {"me"}}, Body: large})
			if !assert.NoError(t, err) {
				return
			}
			fmt.Fprint(w, "between;")
			b, err := io.ReadAll(resp.Body)
			assert.NoError(t, err)
			assert.Equal(t, http.StatusTeapot, resp.StatusCode)
			assert.Equal(t, "me", resp.Header.Get("X-Asked"))
			assert.Equal(t, fmt.Sprintf("PUT /a?n=%d %s", i, large), string(b))
			assert.NoError(t, resp.Body.Close())
		}
	})
	require.NoError(t, err)
	assert.Equal(t, "/mcp?x=1 hello;between;between;between;", rec.Body.String())
	assert.True(t, rec.Flushed)
}

func TestWhatIsNotReadDoesNotStandInTheWay(t *testing.T) {
	rec, err := serve(t, func(w http.ResponseWriter, _ *http.Request, ask line.Ask) {
		for range 2 {
			resp, err := ask(line.Question{Method: "GET", Target: "/a"})
			assert.NoError(t, err)
			assert.NoError(t, resp.Body.Close())
		}
		w.WriteHeader(http.StatusAccepted)
	})
	require.NoError(t, err)
	assert.Equal(t, http.StatusAccepted, rec.Code)
}

func TestAnAnswerThatEndsEarlySaysSo(t *testing.T) {
	_, err := serve(t, func(_ http.ResponseWriter, _ *http.Request, ask line.Ask) {
		resp, err := ask(line.Question{Method: "GET", Target: "/cut"})
		assert.NoError(t, err)
		_, err = io.ReadAll(resp.Body)
		assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
	})
	require.NoError(t, err)
}

func TestWhatTheWorkerDoesWrongIsUnavailable(t *testing.T) {
	many := func(_ http.ResponseWriter, _ *http.Request, ask line.Ask) {
		for range line.MaxQuestions + 1 {
			resp, err := ask(line.Question{Method: "GET", Target: "/a"})
			if err != nil {
				return
			}
			_ = resp.Body.Close()
		}
	}
	answers := func(status int, body string) func(*http.Request) (*http.Response, error) {
		return linetest.Do(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}))
	}
	for name, do := range map[string]func(*http.Request) (*http.Response, error){
		"no Worker":            nil,
		"it does not answer":   func(*http.Request) (*http.Response, error) { return nil, errors.New("gone") },
		"it fails":             answers(500, "internal error"),
		"it says nothing":      answers(200, ""),
		"it breaks off":        answers(200, "d\x00\x00\x00\x05ab"),
		"a frame is too large": answers(200, "d\xff\xff\xff\xff"),
		"an unknown frame":     answers(200, "z\x00\x00\x00\x00"),
		"a bad head":           answers(200, "h\x00\x00\x00\x01{"),
		"a bad question":       answers(200, "q\x00\x00\x00\x02{}"),
		"it panics":            linetest.Do(line.Handler(func(http.ResponseWriter, *http.Request, line.Ask) { panic("broken") })),
		"it asks without end":  linetest.Do(line.Handler(many)),
	} {
		t.Run(name, func(t *testing.T) {
			rec := httptest.NewRecorder()
			err := line.Line{Do: do}.Serve(rec, httptest.NewRequest("POST", "/mcp", strings.NewReader("hello")), back)
			assert.True(t, fault.Is(err, fault.Unavailable), "%v", err)
			assert.Equal(t, "mcp_unavailable", fault.As(err).Code)
		})
	}
}

// Whoever is not the API is told nothing.
func TestTheWorkerAnswersTheAPIAlone(t *testing.T) {
	h := line.Handler(func(http.ResponseWriter, *http.Request, line.Ask) { t.Error("asked") })
	for _, body := range []string{"", "{}", "q\x00\x00\x00\x03{}x", "h\x00\x00\x00\x02{}", "q\x00\x00\x00\x04{x}\n"} {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest("POST", "/", strings.NewReader(body)))
		assert.Equal(t, http.StatusBadRequest, rec.Code, "%q", body)
	}
}
