package line_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/infra/mcp/line"
	"levada.dev/infra/mcp/line/linetest"
)

// frame is one as it is on the wire.
func frame(kind byte, body string) string {
	b := []byte{kind, 0, 0, 0, 0}
	binary.BigEndian.PutUint32(b[1:], uint32(len(body)))
	return string(b) + body
}

const (
	asksOne = `{"method":"POST","target":"/one"}` + "\nbody"
	asksTwo = `{"method":"GET","target":"/two?x=%2F"}` + "\n"
	okHead  = `{"status":200,"header":{"Content-Type":["text/event-stream"]}}`
)

// said is what a Worker says in a whole conversation, in frames; after a question it waits for the answer.
var said = []string{
	frame('q', asksOne), frame('h', okHead), frame('d', "between "), frame('q', asksTwo), frame('d', "and "), frame('d', ""), frame('d', "after"), frame('e', ""),
}

// plays is a Worker that says so many bytes of it, and then ends as it is told. What comes after a question waits for the answer to that.
func plays(frames []string, bytes int, end error) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		out, in := io.Pipe()
		go func() {
			defer func() { _ = in.CloseWithError(end) }()
			left := bytes
			if kind, err := skipFrame(r.Body); err != nil || kind != 'q' { // what the client sent
				return
			}
			for _, f := range frames {
				part := f[:min(left, len(f))]
				if _, err := io.WriteString(in, part); err != nil {
					return
				}
				if left -= len(part); left == 0 {
					return
				}
				if f[0] != 'q' {
					continue
				}
				for {
					kind, err := skipFrame(r.Body)
					if err != nil {
						return
					}
					if kind == 'e' {
						break
					}
				}
			}
		}()
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: out, Request: r}, nil
	}
}

func skipFrame(r io.Reader) (kind byte, err error) {
	var b [5]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return 0, err
	}
	_, err = io.CopyN(io.Discard, r, int64(binary.BigEndian.Uint32(b[1:])))
	return b[0], err
}

// Wherever what the Worker says is cut, the answer is one that is not whole: the client is told so before the first byte, and has a part of it after.
func TestWhatTheWorkerSaysIsCutAnywhere(t *testing.T) {
	whole := strings.Join(said, "")
	for _, end := range []error{nil, errors.New("the connection broke")} {
		for n := range len(whole) + 1 {
			var asked atomic.Int32
			rec := httptest.NewRecorder()
			err := line.Line{Do: plays(said, n, end)}.Serve(rec, httptest.NewRequest("POST", "/mcp", strings.NewReader("hello")),
				http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked.Add(1); back(w, r) }))
			if n == len(whole) {
				require.NoError(t, err)
				assert.Equal(t, "between and after", rec.Body.String())
				assert.EqualValues(t, 2, asked.Load())
				continue
			}
			require.True(t, fault.Is(err, fault.Unavailable), "%d: %v", n, err)
			assert.True(t, strings.HasPrefix("between and after", rec.Body.String()), "%d: %q", n, rec.Body)
			assert.LessOrEqual(t, asked.Load(), int32(2))
			if n < len(said[0]) {
				assert.Zero(t, asked.Load(), "%d: half a question is none", n)
			}
		}
	}
}

// Wherever what the API says is cut, the Worker has no question answered that was not, and says that its answer is not whole or what it makes of it.
func TestWhatTheAPISaysIsCutAnywhere(t *testing.T) {
	heard := []string{frame('q', `{"method":"POST","target":"/mcp"}`+"\nhello"), frame('h', `{"status":418}`), frame('d', "one "), frame('d', "two"), frame('e', "")}
	whole := strings.Join(heard, "")
	for n := range len(whole) + 1 {
		var got string
		var failure error
		h := line.Handler(func(w http.ResponseWriter, r *http.Request, ask line.Ask) {
			resp, err := ask(line.Question{Method: "GET", Target: "/a"})
			if failure = err; err != nil {
				panic(http.ErrAbortHandler)
			}
			b, err := io.ReadAll(resp.Body)
			got, failure = string(b), err
			assert.NoError(t, resp.Body.Close())
			_, err = ask(line.Question{Method: "GET", Target: "/b"})
			assert.Error(t, err, "nothing more comes")
		})
		rec := httptest.NewRecorder()
		func() {
			defer func() { _ = recover() }()
			h.ServeHTTP(rec, httptest.NewRequest("POST", "/", strings.NewReader(whole[:n])))
		}()
		switch {
		case n < len(heard[0]):
			assert.Equal(t, http.StatusBadRequest, rec.Code, n)
		case n < len(whole):
			require.ErrorIs(t, failure, io.ErrUnexpectedEOF, n)
			assert.True(t, strings.HasPrefix("one two", got), "%d: %q", n, got)
		default:
			require.NoError(t, failure)
			assert.Equal(t, "one two", got)
		}
	}
}

// An answer that does not begin as one, goes on as one does not, or is larger than any may be, is none.
func TestWhatTheAPIDoesWrong(t *testing.T) {
	begin := frame('q', `{"method":"POST","target":"/mcp"}`+"\n")
	for name, after := range map[string]string{
		"it asks": frame('q', asksTwo), "no head": frame('d', "x"), "a head that is none": frame('h', "{"), "an answer that was given up": frame('h', "{}") + frame('d', "x") + frame('x', ""),
		"a head within": frame('h', "{}") + frame('h', "{}"), "too large": frame('h', "{}") + "d\xff\xff\xff\xff", "too large a head": "h\x02\x00\x00\x01",
	} {
		t.Run(name, func(t *testing.T) {
			h := line.Handler(func(_ http.ResponseWriter, _ *http.Request, ask line.Ask) {
				resp, err := ask(line.Question{Method: "GET", Target: "/a"})
				if err != nil {
					return
				}
				_, err = io.ReadAll(resp.Body)
				assert.Error(t, err)
				assert.NoError(t, resp.Body.Close())
				assert.NoError(t, resp.Body.Close(), "twice is once")
			})
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/", strings.NewReader(begin+after)))
		})
	}
}

// What comes after the end of an answer is not heard, and nothing is asked for it.
func TestQuestionsAfterTheEnd(t *testing.T) {
	after := append(append([]string{}, said...), frame('q', asksOne), frame('d', "more"))
	rec := httptest.NewRecorder()
	var asked atomic.Int32
	require.NoError(t, line.Line{Do: plays(after, len(strings.Join(after, "")), nil)}.Serve(rec, httptest.NewRequest("POST", "/mcp", strings.NewReader("hello")),
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked.Add(1); back(w, r) })))
	assert.Equal(t, "between and after", rec.Body.String())
	assert.EqualValues(t, 2, asked.Load())

	late := make(chan line.Ask, 1)
	_, err := serve(t, func(_ http.ResponseWriter, _ *http.Request, ask line.Ask) { late <- ask })
	require.NoError(t, err)
	for range 2 {
		_, err = (<-late)(line.Question{Method: "GET", Target: "/a"})
		assert.Error(t, err, "the conversation is over")
		late <- func(line.Question) (*http.Response, error) { return nil, err }
	}
}

// A second question before the first is answered is a Worker's that does not keep to the form.
func TestOneQuestionAtATime(t *testing.T) {
	release := make(chan struct{})
	two := func(r *http.Request) (*http.Response, error) {
		go func() { _, _ = io.Copy(io.Discard, r.Body) }()
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(frame('q', asksOne) + frame('q', asksTwo))), Request: r}, nil
	}
	err := line.Line{Do: two}.Serve(httptest.NewRecorder(), httptest.NewRequest("POST", "/mcp", nil), http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done(): // it is given up as soon as that is seen
		}
	}))
	assert.True(t, fault.Is(err, fault.Unavailable), "%v", err)
	assert.ErrorContains(t, errors.Unwrap(err), "before the one before")

	// Within a Worker the second waits until the first one's answer is closed.
	rec, err := serve(t, func(w http.ResponseWriter, _ *http.Request, ask line.Ask) {
		first, err := ask(line.Question{Method: "GET", Target: "/1"})
		require.NoError(t, err)
		second := make(chan string)
		go func() {
			resp, err := ask(line.Question{Method: "GET", Target: "/2"})
			if !assert.NoError(t, err) {
				close(second)
				return
			}
			b, _ := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			second <- string(b)
		}()
		b, err := io.ReadAll(first.Body)
		assert.NoError(t, err)
		assert.NoError(t, first.Body.Close())
		fmt.Fprintf(w, "%s, %s", b, <-second)
	})
	require.NoError(t, err)
	assert.Equal(t, "GET /1 , GET /2 ", rec.Body.String())
}

// A question that is larger than any may be is not sent; the next one is.
func TestAQuestionThatIsTooLarge(t *testing.T) {
	rec, err := serve(t, func(w http.ResponseWriter, _ *http.Request, ask line.Ask) {
		_, err := ask(line.Question{Method: "POST", Target: "/a", Body: make([]byte, 32<<20)})
		assert.ErrorContains(t, err, "above the limit")
		resp, err := ask(line.Question{Method: "POST", Target: "/b", Body: []byte("small")})
		if assert.NoError(t, err) {
			_, _ = io.Copy(w, resp.Body)
			_ = resp.Body.Close()
		}
	})
	require.NoError(t, err)
	assert.Equal(t, "POST /b small", rec.Body.String())
}

// slow is a client that takes a little at a time, and only when it is let.
type slow struct {
	*httptest.ResponseRecorder
	let chan struct{}
}

func (s slow) Write(b []byte) (int, error) {
	<-s.let
	return s.ResponseRecorder.Write(b)
}

// However slowly the client reads, and in whatever order the Worker reads and writes, all comes whole and in order.
func TestSlowReaders(t *testing.T) {
	large := bytes.Repeat([]byte("0123456789abcdef"), 80<<10) // several frames
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		for len(b) > 0 { // in odd pieces
			n := min(len(b), 100_003)
			_, _ = w.Write(b[:n])
			b = b[n:]
		}
	})
	out := slow{httptest.NewRecorder(), make(chan struct{})}
	go func() {
		for {
			select {
			case out.let <- struct{}{}:
			case <-t.Context().Done():
				return
			}
		}
	}()
	do := linetest.Do(line.Handler(func(w http.ResponseWriter, r *http.Request, ask line.Ask) {
		resp, err := ask(line.Question{Method: "PUT", Target: "/a", Body: large})
		if !assert.NoError(t, err) {
			return
		}
		_, _ = w.Write(large) // before it reads what it asked for, of which there is more than fits on the way
		var one [1]byte
		_, err = io.ReadFull(resp.Body, one[:])
		assert.NoError(t, err)
		_, _ = w.Write([]byte("|"))
		rest, err := io.ReadAll(resp.Body)
		assert.NoError(t, err)
		assert.NoError(t, resp.Body.Close())
		_, _ = w.Write(append(one[:], rest...))
	}))
	require.NoError(t, line.Line{Do: do}.Serve(out, httptest.NewRequest("POST", "/mcp", nil), echo))
	assert.Equal(t, string(large)+"|"+string(large), out.Body.String())
}

// gone is a client that is not there any more.
type gone struct{ *httptest.ResponseRecorder }

func (gone) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

// A client that cannot be written to, or leaves, ends what is asked for it, and nothing goes on.
func TestAClientThatIsGoneEndsTheQuestions(t *testing.T) {
	for _, leaves := range []bool{false, true} {
		entered, ended := make(chan struct{}), make(chan struct{})
		ctx, leave := context.WithCancelCause(t.Context())
		if leaves {
			go func() { <-entered; leave(errors.New("it left")) }()
		}
		do := linetest.Do(line.Handler(func(w http.ResponseWriter, _ *http.Request, ask line.Ask) {
			var writing sync.WaitGroup
			defer writing.Wait()
			if !leaves {
				writing.Go(func() { <-entered; _, _ = w.Write([]byte("x")) })
			}
			resp, err := ask(line.Question{Method: "GET", Target: "/a"})
			if err == nil {
				_, err = io.ReadAll(resp.Body)
				_ = resp.Body.Close()
			}
			assert.Error(t, err)
		}))
		var w http.ResponseWriter = httptest.NewRecorder()
		if !leaves {
			w = gone{httptest.NewRecorder()}
		}
		err := line.Line{Do: do}.Serve(w, httptest.NewRequest("POST", "/mcp", nil).WithContext(ctx), http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			close(entered)
			<-r.Context().Done()
			close(ended)
			panic(http.ErrAbortHandler)
		}))
		select {
		case <-ended:
		default:
			t.Error("it returned while a question went on")
		}
		if leaves {
			assert.True(t, err == nil || err.Error() == "it left", "%v, where nil is a Worker that was the faster one", err)
		} else {
			assert.True(t, fault.Is(err, fault.Unavailable), "%v", err)
		}
		leave(nil)
	}
}
