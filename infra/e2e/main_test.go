package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"levada.dev/infra/client"
	"levada.dev/infra/dev/devtest"
	"levada.dev/infra/local"
	"levada.dev/infra/logbook/logbooktest"
)

// platform is what all tests share; those that kill theirs start one of their own.
var (
	platform    *local.Local
	sharedState string // its folder
)

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	state, err := os.MkdirTemp(devtest.Memory(), "levada-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(state)
	sharedState = state
	platform, err = start(state)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if code != 0 {
		explain(os.Stderr, filepath.Join(state, "workers.log"))
	}
	if err := errors.Join(platform.Stop(), clean(state)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// canary is in whatever tests send that must not be logged.
const canary = "canary-7c1f"

// clean holds what the Workers of a state folder have logged to the schema of lines, and to what must not be in any: what has the canary, and the keys and
// secrets of tenants.
func clean(state string) error {
	secrets := []string{canary}
	if platform != nil {
		for _, key := range platform.Keys {
			secrets = append(secrets, key)
		}
		for _, of := range platform.Vault.Secrets {
			for _, secret := range of {
				secrets = append(secrets, secret)
			}
		}
	}
	return logbooktest.Hold(filepath.Join("..", ".."), filepath.Join(state, "workers.log"), secrets...)
}

func start(state string) (*local.Local, error) { return startWith(state, local.Options{}) }

func startWith(state string, o local.Options) (*local.Local, error) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		return nil, err
	}
	logs, err := os.OpenFile(filepath.Join(state, "workers.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	o.Root, o.State, o.Build, o.Version, o.Logs = root, state, buildDir(root), "test", logs
	if o.Tenants, err = withTalkers(root); err != nil {
		return nil, err
	}
	return local.Start(context.Background(), o)
}

// buildDir is where the Workers are built for all platforms of a checkout, so that most have nothing to build.
func buildDir(root string) string { return filepath.Join(root, "bin", "e2e") }

// user is somebody who calls the API for a tenant.
type user struct {
	t      *testing.T
	url    string
	tenant string
	key    string
}

// as is a user of the shared platform with the tenant's own key.
func as(t *testing.T, tenant string) user { return asOn(t, platform, tenant) }

func asOn(t *testing.T, p *local.Local, tenant string) user {
	for id, key := range p.Keys {
		if string(id) == tenant {
			return user{t, p.URL, tenant, key}
		}
	}
	t.Fatalf("no tenant %s", tenant)
	return user{}
}

// answer is what the API said.
type answer struct {
	Status int
	Header http.Header
	Body   []byte
	OK     bool            `json:"ok"`
	Data   json.RawMessage `json:"data"`
	Error  struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		TraceID string `json:"traceId"`
		Details struct {
			Field   string `json:"field"`
			AuditID string `json:"auditId"`
		} `json:"details"`
	} `json:"error"`
}

// into decodes the data of a success.
func (a answer) into(t *testing.T, v any) {
	t.Helper()
	require.NoError(t, a.decode(v))
}

func (a answer) decode(v any) error {
	if !a.OK {
		return fmt.Errorf("%d %s", a.Status, a.Body)
	}
	return json.Unmarshal(a.Data, v)
}

// do sends a request and reads the answer. The header "host" is the name the request is sent to.
func (u user) do(method, path string, body any, headers ...string) answer {
	u.t.Helper()
	a, err := u.try(method, path, body, headers...)
	require.NoError(u.t, err)
	return a
}

// uploads hears an answer that comes while the request is being sent, so that a failure has a status and a code. It waits longer than others: a machine that
// is busy with five hundred turns comes to an upload when they are over.
var uploads = func() *http.Client {
	t := client.NewTransport()
	t.ResponseHeaderTimeout = 4 * time.Minute
	return &http.Client{Transport: t}
}()

// try is do for requests that may fail on the way; it may be used in any goroutine. A body that is an io.Reader is sent
// as it comes, without a length.
func (u user) try(method, path string, body any, headers ...string) (answer, error) {
	var r io.Reader
	switch b := body.(type) {
	case nil:
	case io.Reader:
		r = struct{ io.Reader }{b}
	case string:
		r = strings.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			return answer{}, err
		}
		r = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(u.t.Context(), method, u.url+path, r)
	if err != nil {
		return answer{}, err
	}
	if r != nil {
		req.Header.Set("content-type", "application/json")
	}
	if u.key != "" {
		req.Header.Set("authorization", "Bearer "+u.key)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "host" {
			req.Host = headers[i+1]
		}
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := uploads.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	a := answer{Status: resp.StatusCode, Header: resp.Header}
	if a.Body, err = io.ReadAll(resp.Body); err != nil {
		return a, err
	}
	_ = json.Unmarshal(a.Body, &a) // not every answer is an envelope
	return a, nil
}

// document is what the tests ingest.
type document struct {
	DocID       string         `json:"docId,omitempty"`
	Text        string         `json:"text"`
	ContentType string         `json:"contentType,omitempty"`
	Title       string         `json:"title,omitempty"`
	Source      string         `json:"source,omitempty"`
	Metadata    map[string]any `json:"metadata,omitempty"`
	Chunking    map[string]int `json:"chunking,omitempty"`
}

type accepted struct {
	JobID      string `json:"jobId"`
	DocID      string `json:"docId"`
	Generation int    `json:"generation"`
	StatusURL  string `json:"statusUrl"`
}

type jobView struct {
	JobID  string `json:"jobId"`
	State  string `json:"state"`
	Stage  string `json:"stage"`
	Counts struct {
		Total, Done, Failed int
	} `json:"counts"`
	Percent int `json:"percent"`
	Errors  []struct{ Stage, Code, Message string }
}

type found struct {
	Sources []struct {
		DocID, ChunkID, Title, Source, Text string
		Start, End                          int
		Score                               float64
	} `json:"sources"`
	Cached  bool
	Timings map[string]float64 `json:"timings"`
}

// ingest submits a document and returns what was accepted.
func (u user) ingest(d document, headers ...string) accepted {
	u.t.Helper()
	a := u.do(http.MethodPost, "/ingest", d, headers...)
	require.Equal(u.t, http.StatusAccepted, a.Status, "%s", a.Body)
	var acc accepted
	a.into(u.t, &acc)
	return acc
}

// index submits a document and waits until searches find it.
func (u user) index(d document) accepted {
	u.t.Helper()
	acc := u.ingest(d)
	j := u.finished(acc.JobID)
	require.Equal(u.t, "succeeded", j.State, "%+v", j)
	return acc
}

// finished waits for the end of a job. A platform that does not answer may come back.
func (u user) finished(jobID string) (j jobView) {
	u.t.Helper()
	eventually(u.t, "job "+jobID+" ends", func() bool {
		a, err := u.try(http.MethodGet, "/jobs/"+jobID, nil)
		if err != nil || !a.OK {
			return false
		}
		return json.Unmarshal(a.Data, &j) == nil && (j.State == "succeeded" || j.State == "failed" || j.State == "cancelled")
	})
	return j
}

func (u user) search(query string, more map[string]any) found {
	u.t.Helper()
	body := map[string]any{"query": query, "mode": "vector", "answer": false, "keepDuplicates": true}
	for k, v := range more {
		body[k] = v
	}
	var f found
	u.do(http.MethodPost, "/search", body).into(u.t, &f)
	return f
}

// documentView is a document as GET /documents/{id} shows it.
type documentView struct {
	DocID      string `json:"docId"`
	State      string `json:"state"`
	Generation int    `json:"generation"`
	Searchable int    `json:"searchable"`
	Chunks     int    `json:"chunks"`

	Why *struct{ Code, Error string } `json:"notSearchable"`
}

func (u user) document(id string) (d documentView) {
	u.t.Helper()
	u.do(http.MethodGet, "/documents/"+url.PathEscape(id), nil).into(u.t, &d)
	return d
}
