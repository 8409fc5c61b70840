package contract

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// Contract is what a document says, and what was found to be otherwise. Safe for concurrent use.
type Contract struct {
	router routers.Router
	root   string

	mu      sync.Mutex
	held    int
	faults  []string
	unknown map[string]bool
}

var decoder = sync.OnceFunc(func() { openapi3filter.RegisterBodyDecoder("multipart/form-data", decodeForm) })

// New reads a document. Requests have its paths below root.
func New(document []byte, root string) (*Contract, error) {
	decoder()
	doc, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		return nil, fmt.Errorf("the document of %s: %w", Env, err)
	}
	doc.Servers = nil // any host
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		return nil, fmt.Errorf("the document of %s: %w", Env, err)
	}
	return &Contract{router: router, root: root, unknown: map[string]bool{}}, nil
}

// decodeForm reads a Worker's upload: its metadata as JSON, which has no content type when wrangler sends it, and its modules as text.
func decodeForm(body io.Reader, header http.Header, _ *openapi3.SchemaRef, _ openapi3filter.EncodingFn) (any, error) {
	_, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		return nil, err
	}
	form := map[string]any{}
	for in := multipart.NewReader(body, params["boundary"]); ; {
		part, err := in.NextPart()
		if errors.Is(err, io.EOF) {
			return form, nil
		}
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(part)
		if err != nil {
			return nil, err
		}
		form[part.FormName()] = string(text)
		if part.FormName() == "metadata" {
			var metadata any
			if err := json.Unmarshal(text, &metadata); err != nil {
				return nil, err
			}
			form["metadata"] = metadata
		}
	}
}

// Hold has each exchange with a handler looked at. What the handler refuses is looked at as an answer alone.
func (c *Contract) Hold(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		seen := r.Clone(context.WithoutCancel(r.Context()))
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, r)
		c.look(seen, body, answer)
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
}

func (c *Contract) look(r *http.Request, body []byte, answer *httptest.ResponseRecorder) {
	u := *r.URL
	u.Path, u.RawPath = strings.TrimPrefix(u.Path, c.root), strings.TrimPrefix(u.RawPath, c.root)
	r.URL, r.Body = &u, io.NopCloser(bytes.NewReader(body))
	what := r.Method + " " + u.Path
	found, params, err := c.router.FindRoute(r)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.unknown[what] = true
		return
	}
	c.held++
	options := &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}
	if r.Header.Get("Content-Type") == "" || strings.HasPrefix(r.Header.Get("Content-Type"), "text/plain") && json.Valid(body) {
		r.Header.Set("Content-Type", "application/json") // so wrangler sends it, and so it is read
	}
	request := &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: found, Options: options}
	if answer.Code < 400 {
		if err := openapi3filter.ValidateRequest(r.Context(), request); err != nil {
			c.faults = append(c.faults, what+": the request: "+err.Error())
		}
	}
	response := &openapi3filter.ResponseValidationInput{RequestValidationInput: request, Status: answer.Code, Header: answer.Header(), Options: options}
	response.SetBodyBytes(answer.Body.Bytes())
	if err := openapi3filter.ValidateResponse(r.Context(), response); err != nil {
		c.faults = append(c.faults, what+": the answer: "+err.Error())
	}
}

// Found is what was otherwise than the document says, the requests that it does not have, and how many exchanges it had.
func (c *Contract) Found() (faults, unknown []string, held int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.faults), slices.Sorted(maps.Keys(c.unknown)), c.held
}
