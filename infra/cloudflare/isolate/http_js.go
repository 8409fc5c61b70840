package isolate

import (
	"bytes"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unsafe"
)

var httpHandler http.Handler

// HandleHTTP registers the handler of fetch events. The request's context is the
// event's [Task]. A body beyond 64 KB, or of unknown length, streams; so does a
// response once it is flushed or grows beyond 256 KB.
func HandleHTTP(h http.Handler) { httpHandler = h }

// objectHandlers are the handlers of Durable Objects, by home.
var objectHandlers = map[int32]http.Handler{}

// HandleHome routes the HTTP events of one home, that is of one Durable Object, to h;
// nil removes the route. Package object uses it.
func HandleHome(home int32, h http.Handler) {
	if h == nil {
		delete(objectHandlers, home)
		return
	}
	objectHandlers[home] = h
}

func (j *job) serveHTTP() {
	t := j.task
	w := &responseWriter{task: t, code: http.StatusOK}
	returned := false
	defer func() {
		if returned {
			return
		}
		// A panic, http.ErrAbortHandler among them, or runtime.Goexit.
		if p := recover(); p != nil && p != http.ErrAbortHandler {
			reportPanic("HTTP handler", p)
		}
		w.abort()
	}()
	switch r, err := j.request(); {
	case err != nil:
		w.WriteHeader(http.StatusBadRequest)
	default:
		j.handler().ServeHTTP(w, r)
	}
	w.finish()
	returned = true
}

func (j *job) handler() http.Handler {
	if len(objectHandlers) > 0 {
		if h := objectHandlers[j.task.home]; h != nil {
			return h
		}
	}
	if httpHandler != nil {
		return httpHandler
	}
	return http.NotFoundHandler()
}

// request makes the Request of "METHOD\nURL\nlength\n" and lines of name, NUL, value.
func (j *job) request() (*http.Request, error) {
	head := unsafe.String(unsafe.SliceData(j.data), j.head) // nobody writes there any more
	method, rest, _ := strings.Cut(head, "\n")
	raw, rest, _ := strings.Cut(rest, "\n")
	length, rest, _ := strings.Cut(rest, "\n")
	u, target, err := parseURL(raw)
	if err != nil {
		return nil, err
	}
	header := parseHeader(rest)
	r := &http.Request{
		Method: method, URL: u, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Host: u.Host, RequestURI: target, Body: http.NoBody,
	}
	if ip := header["Cf-Connecting-Ip"]; len(ip) > 0 {
		r.RemoteAddr = ip[0]
	}
	switch body := j.data[j.head:]; {
	case j.body != 0:
		r.Body = &streamReader{task: j.task, ctx: j.task, handle: j.body}
		r.ContentLength = -1
		if n, err := strconv.ParseInt(length, 10, 64); err == nil {
			r.ContentLength = n
		}
	case len(body) > 0:
		r.Body = &wholeBody{*bytes.NewReader(body), body}
		r.ContentLength = int64(len(body))
	}
	return r.WithContext(j.task), nil
}

// wholeBody is a body that came with its request.
type wholeBody struct {
	bytes.Reader
	all []byte
}

// Bytes is all of the body, for who would read it whole anyway, and may change it.
func (b *wholeBody) Bytes() []byte { return b.all }

// Close implements io.Closer.
func (b *wholeBody) Close() error { return nil }

func parseHeader(lines string) http.Header {
	header := make(http.Header, 8)
	values := make([]string, 0, 12)
	for lines != "" {
		var line string
		line, lines, _ = strings.Cut(lines, "\n")
		k, v, _ := strings.Cut(line, "\x00")
		k = canonicalKey(k)
		if len(values) < cap(values) && header[k] == nil {
			values = append(values, v)
			header[k] = values[len(values)-1 : len(values) : len(values)]
		} else {
			header[k] = append(header[k], v)
		}
	}
	return header
}

var canonical = map[string]string{}

func canonicalKey(k string) string {
	if c, ok := canonical[k]; ok {
		return c
	}
	c := http.CanonicalHeaderKey(k)
	if len(canonical) < 200 {
		canonical[strings.Clone(k)] = c
	}
	return c
}

// parseURL is url.Parse for the absolute URLs that Workers hands out; it also returns
// the request target.
func parseURL(raw string) (*url.URL, string, error) {
	scheme, rest, ok := strings.Cut(raw, "://")
	if !ok || strings.ContainsAny(raw, "%@#[]") {
		u, err := url.Parse(raw)
		if err != nil {
			return nil, "", err
		}
		return u, u.RequestURI(), nil
	}
	host, target := rest, "/"
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		host, target = rest[:i], rest[i:]
	}
	u := &url.URL{Scheme: scheme, Host: host}
	u.Path, u.RawQuery, _ = strings.Cut(target, "?")
	return u, target, nil
}
