package double

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// route is one method of one path, the permission group it needs without its "Read" or "Write", and what it does.
type route struct {
	pattern  string
	group    string
	handle   func(c *call) (any, error)
	readOnly bool // a POST that a token for reading may send
	wrangler bool // in no document of the API
	session  bool // the token is that of a session of assets
}

// call is one request on its way.
type call struct {
	*http.Request
	api     *API
	bearer  string
	token   Token
	account *Account // of the path, if it has one
	zone    *zone    // likewise
	body    []byte
	parts   []part // of a multipart body
	kept    any    // what is remembered of the body
}

// refusal is an error as the API says it.
type refusal struct {
	status, code int
	message      string
}

func (r *refusal) Error() string { return fmt.Sprintf("%d (code %d): %s", r.status, r.code, r.message) }

func refuse(status, code int, format string, args ...any) error {
	return &refusal{status, code, fmt.Sprintf(format, args...)}
}

// What most resources refuse with.
const (
	codeRequest = 10001 // what cannot be read
	codeInvalid = 10021 // a Worker that is not valid
	codeAuth    = 10000
)

func unrouted(c *call) (any, error) {
	return nil, refuse(http.StatusNotFound, 7003, "Could not route to %s, perhaps your object identifier is invalid?", c.URL.Path)
}

// Results that are more than a result.
type (
	page struct{ items, info any }
	done struct { // with another status than 200
		status int
		result any
	}
	raw struct {
		contentType string
		body        []byte
	}
)

// reply is what goes back: an answer, or the end of the connection.
type reply struct {
	status int
	header http.Header
	body   []byte
	cut    bool
}

func (a *API) serve(w http.ResponseWriter, q *http.Request, r route) {
	c := &call{Request: q, api: a, bearer: strings.TrimPrefix(q.Header.Get("Authorization"), "Bearer ")}
	err := c.read()
	answer, tell := a.answer(c, r, err)
	tell()
	if answer.cut {
		panic(http.ErrAbortHandler)
	}
	for name, values := range answer.header {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.status)
	_, _ = w.Write(answer.body)
}

// answer does what is asked, unless a fault comes between, and remembers it; tell tells who watches. One at a time.
func (a *API) answer(c *call, r route, err error) (answer reply, tell func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	fault := a.faultFor(c)
	if fault != nil && !fault.Lost {
		answer = fault.reply()
	} else {
		answer = a.handle(c, r, err)
		if fault != nil {
			answer = fault.reply()
		}
	}
	seen := c.remember(answer)
	a.requests = append(a.requests, seen)
	watch := a.watch
	return answer, func() {
		if watch != nil {
			watch(seen)
		}
	}
}

func (a *API) handle(c *call, r route, err error) reply {
	if err == nil {
		err = c.authorize(r)
	}
	var result any
	if err == nil {
		result, err = r.handle(c)
	}
	if err != nil {
		return refused(err)
	}
	envelope := map[string]any{"success": true, "errors": []any{}, "messages": []any{}, "result": result}
	status := http.StatusOK
	switch x := result.(type) {
	case done:
		status, envelope["result"] = x.status, x.result
	case raw:
		return reply{status: http.StatusOK, header: http.Header{"Content-Type": {x.contentType}}, body: x.body}
	case page:
		envelope["result"], envelope["result_info"] = x.items, x.info
	}
	return inJSON(status, envelope)
}

func refused(err error) reply {
	var r *refusal
	if !errors.As(err, &r) {
		r = &refusal{http.StatusInternalServerError, 10002, err.Error()}
	}
	return inJSON(r.status, map[string]any{
		"success": false, "errors": []any{map[string]any{"code": r.code, "message": r.message}}, "messages": []any{}, "result": nil,
	})
}

func inJSON(status int, v any) reply {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // of the double's own making
	}
	return reply{status: status, header: http.Header{"Content-Type": {"application/json"}}, body: body}
}

const maxBody = 110 << 20 // a bulk write to KV may have 100 MB

// read takes the body in, before anybody has to wait for it.
func (c *call) read() error {
	body, err := io.ReadAll(io.LimitReader(c.Body, maxBody+1))
	if err != nil {
		return refuse(http.StatusBadRequest, codeRequest, "The request's body ended early: %v", err)
	}
	if len(body) > maxBody {
		return refuse(http.StatusRequestEntityTooLarge, codeRequest, "The request's body is too large.")
	}
	c.body = body
	if strings.HasPrefix(c.Header.Get("Content-Type"), "multipart/") {
		c.parts, err = readParts(c.Header.Get("Content-Type"), body)
	}
	return err
}

// decode reads a JSON body, strictly: a field that T has not is refused, as it is a mistake somewhere.
func decode[T any](c *call) (T, error) {
	var v T
	if c.parts != nil {
		return v, refuse(http.StatusBadRequest, codeRequest, "The body has to be JSON.")
	}
	if err := strictly(c.body, &v); err != nil {
		return v, refuse(http.StatusBadRequest, codeRequest, "Unable to parse request body: %v", err)
	}
	return v, nil
}

func strictly(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more after it")
	}
	return nil
}

// paged is the page of a list that the query asks for, 20 when it does not say how many.
func paged[T any](c *call, all []T) (any, error) {
	return pagedBy(c, all, 20)
}

func pagedBy[T any](c *call, all []T, usual int) (any, error) {
	number, err := c.number("page", 1, 1, 1<<20)
	if err != nil {
		return nil, err
	}
	size, err := c.number("per_page", usual, 1, 1000)
	if err != nil {
		return nil, err
	}
	if c.api.MaxPage > 0 {
		size = min(size, c.api.MaxPage)
	}
	from := min((number-1)*size, len(all))
	items := append([]T{}, all[from:min(from+size, len(all))]...)
	return page{items, map[string]any{"page": number, "per_page": size, "count": len(items), "total_count": len(all), "total_pages": (len(all) + size - 1) / size}}, nil
}

// number is a number of the query.
func (c *call) number(name string, usual, low, high int) (int, error) {
	text := c.URL.Query().Get(name)
	if text == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > high {
		return 0, refuse(http.StatusBadRequest, codeRequest, "%s has to be %d to %d, is %q", name, low, high, text)
	}
	return n, nil
}
