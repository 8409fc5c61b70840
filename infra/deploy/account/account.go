package account

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	cloudflare "github.com/cloudflare/cloudflare-go/v4"
	"github.com/cloudflare/cloudflare-go/v4/option"

	"levada.dev/infra/deploy/credential"
)

// DefaultURL is where the API is.
const DefaultURL = "https://api.cloudflare.com/client/v4/"

// Options changes how an account is spoken to. The zero value is good.
type Options struct {
	URL   string       // DefaultURL
	HTTP  *http.Client // http.DefaultClient
	Tries int          // how often a request is sent at most, 4
	Pace  Pace         // nil: as fast as it goes
	Sleep func(ctx context.Context, d time.Duration) error
}

// Pace says when the next request may go. golang.org/x/time/rate has limiters that do.
type Pace interface {
	Wait(ctx context.Context) error
}

// Account is one account as one token sees it. Safe for concurrent use.
type Account struct {
	ID      string
	client  *cloudflare.Client
	options Options
}

// ambient are the headers of credentials that cloudflare-go finds in the environment by itself.
var ambient = []string{"X-Auth-Key", "X-Auth-Email", "X-Auth-User-Service-Key"}

// Open makes the client of an account. It sends nothing.
func Open(id string, token credential.Token, o Options) *Account {
	if o.URL == "" {
		o.URL = DefaultURL
	}
	if o.Tries < 1 {
		o.Tries = 4
	}
	if o.Sleep == nil {
		o.Sleep = Sleep
	}
	opts := []option.RequestOption{
		option.WithBaseURL(strings.TrimSuffix(o.URL, "/") + "/"), option.WithMaxRetries(0), option.WithRequestTimeout(requestTimeout),
		option.WithMiddleware(func(r *http.Request, next option.MiddlewareNext) (*http.Response, error) {
			for _, h := range ambient {
				r.Header.Del(h)
			}
			if r.Header.Get("Authorization") == "" {
				r.Header.Set("Authorization", "Bearer "+token.Secret())
			}
			return next(r)
		}),
	}
	if o.HTTP != nil {
		opts = append(opts, option.WithHTTPClient(o.HTTP))
	}
	// Not NewClient, which reads the environment. Clipped, as the client appends to them for each request: with room at their end, requests at the
	// same time would take each other's options.
	return &Account{ID: id, client: &cloudflare.Client{Options: slices.Clip(opts)}, options: o}
}

const requestTimeout = 2 * time.Minute // an upload may be 10 MB

// Sleep waits, and no longer than ctx lasts.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// Path joins segments below the account, each escaped.
func (a *Account) Path(segments ...string) string {
	return Join(append([]string{"accounts", a.ID}, segments...)...)
}

// Join joins the segments of a path, each escaped.
func Join(segments ...string) string {
	escaped := make([]string, len(segments))
	for i, s := range segments {
		escaped[i] = url.PathEscape(s)
	}
	return strings.Join(escaped, "/")
}

// Get reads one result into out.
func (a *Account) Get(ctx context.Context, path string, out any) error {
	return a.Do(ctx, http.MethodGet, path, nil, out)
}

// Do sends a request and reads its result into out, which may be nil. body is what becomes JSON, or an Upload. What the API refuses is an
// *Error. A POST is sent again after 429 alone, since one whose answer was lost may have had its effect; others also after a fault of the
// server or of the way.
func (a *Account) Do(ctx context.Context, method, path string, body, out any) error {
	answer, err := a.persist(ctx, method, path, body, false, method != http.MethodPost)
	if err != nil {
		return err
	}
	return answer.into(out)
}

// Set is Do with a POST that may be sent again as any PUT may: it sets something to what it says.
func (a *Account) Set(ctx context.Context, path string, body, out any) error {
	answer, err := a.persist(ctx, http.MethodPost, path, body, false, true)
	if err != nil {
		return err
	}
	return answer.into(out)
}

// Bearing is the account as it is for who has another token than the account's own: what the API has given for a purpose.
func (a *Account) Bearing(token string) *Account {
	client := *a.client
	client.Options = append(slices.Clip(client.Options), option.WithHeader("Authorization", "Bearer "+token))
	return &Account{ID: a.ID, client: &client, options: a.options}
}

// GetPage reads one page of a list into out, and returns the cursor of the next; it is empty after the last.
func (a *Account) GetPage(ctx context.Context, path string, out any) (next string, err error) {
	answer, err := a.persist(ctx, http.MethodGet, path, nil, false, true)
	if err != nil {
		return "", err
	}
	return answer.next, answer.into(out)
}

// Pages reads a list that pages by cursor, and gives each page to do. The path has a query already.
func Pages[T any](ctx context.Context, a *Account, path string, do func(page T)) error {
	at := path
	for range mostPages {
		var page T
		next, err := a.GetPage(ctx, at, &page)
		if err != nil {
			return err
		}
		do(page)
		if next == "" {
			return nil
		}
		at = path + "&cursor=" + url.QueryEscape(next)
	}
	return fmt.Errorf("%s: has no end after %d pages", path, mostPages)
}

// GetRaw reads what is answered without an envelope, as the values of KV are.
func (a *Account) GetRaw(ctx context.Context, path string) ([]byte, error) {
	answer, err := a.persist(ctx, http.MethodGet, path, nil, true, true)
	return answer.result, err
}

// persist sends a request until it had its answer, or is not to be sent again.
func (a *Account) persist(ctx context.Context, method, path string, body any, raw, repeatable bool) (answer, error) {
	for try := 1; ; try++ {
		if a.options.Pace != nil {
			if err := a.options.Pace.Wait(ctx); err != nil {
				return answer{}, err
			}
		}
		got, err := a.send(ctx, method, path, body, raw)
		if err == nil || try == a.options.Tries || !again(ctx, repeatable, err) {
			return got, err
		}
		if err := a.options.Sleep(ctx, got.pause(try)); err != nil {
			return answer{}, err
		}
	}
}

// again reports whether a request that failed so may be sent once more.
func again(ctx context.Context, repeatable bool, err error) bool {
	var refused *Error
	switch {
	case ctx.Err() != nil:
		return false
	case !errors.As(err, &refused):
		return repeatable
	case refused.Status == http.StatusTooManyRequests:
		return true
	}
	return refused.Status >= 500 && repeatable
}

// answer is what came back.
type answer struct {
	what   string
	status int
	after  string // Retry-After
	next   string // cursor
	total  int    // of the whole list, where the API says it
	result json.RawMessage
}

func (a answer) into(out any) error {
	if out == nil || len(a.result) == 0 {
		return nil
	}
	if raw, ok := out.(*json.RawMessage); ok {
		*raw = a.result
		return nil
	}
	if err := json.Unmarshal(a.result, out); err != nil {
		return fmt.Errorf("%s: its result: %w", a.what, err)
	}
	return nil
}

// LongestPause is the longest that a server is granted; the API blocks for five minutes who was too fast.
const LongestPause = 5 * time.Minute

func (a answer) pause(try int) time.Duration {
	if seconds, err := strconv.Atoi(a.after); err == nil && seconds > 0 {
		return min(time.Duration(seconds)*time.Second, LongestPause)
	}
	return 250*time.Millisecond<<try + rand.N(250*time.Millisecond)
}

// send sends a request once.
func (a *Account) send(ctx context.Context, method, path string, body any, plain bool) (answer, error) {
	var raw []byte
	var response *http.Response
	got := answer{what: method + " " + path}
	err := a.client.Execute(ctx, method, path, body, &raw, option.WithResponseInto(&response))
	if response != nil {
		got.status, got.after = response.StatusCode, response.Header.Get("Retry-After")
	}
	var refused *cloudflare.Error
	switch {
	case errors.As(err, &refused): // not passed on: it has the request, and that has the token
		e := &Error{Method: method, Path: path, Status: refused.StatusCode, Message: http.StatusText(refused.StatusCode)}
		if len(refused.Errors) > 0 {
			e.Code, e.Message = int(refused.Errors[0].Code), refused.Errors[0].Message
		}
		return got, e
	case err != nil && got.status >= 400: // what is no JSON, as a proxy's page
		return got, &Error{Method: method, Path: path, Status: got.status, Message: http.StatusText(got.status)}
	case err != nil:
		return got, fmt.Errorf("%s: %w", got.what, err)
	case len(raw) == 0:
		return got, nil
	case plain:
		got.result = raw
		return got, nil
	}
	var e envelope
	if err := json.Unmarshal(raw, &e); err != nil {
		return got, fmt.Errorf("%s: %w", got.what, err)
	}
	got.result, got.next, got.total = e.Result, e.Info.Cursor, e.Info.Total
	return got, e.refusal(method, path, got.status)
}

// envelope is what every answer is in.
type envelope struct {
	Success bool `json:"success"`
	Errors  []struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"errors"`
	Result json.RawMessage `json:"result"`
	Info   struct {
		Cursor string `json:"cursor"`
		Total  int    `json:"total_count"`
	} `json:"result_info"`
}

// refusal is the error of an envelope that says so; its status may be 200.
func (e envelope) refusal(method, path string, status int) error {
	if e.Success {
		return nil
	}
	refused := &Error{Method: method, Path: path, Status: status, Message: "the answer says that it failed, and not why"}
	if len(e.Errors) > 0 {
		refused.Code, refused.Message = e.Errors[0].Code, e.Errors[0].Message
	}
	return refused
}

const (
	pageSize  = 100  // how much of a list is asked for at once
	mostPages = 1000 // far more than an account may have of anything
)

// List reads a whole list, page by page, until it has as many as the API says that there are: its pages may be shorter than was asked for.
// An endpoint that has no pages gives all with the first, and the same again.
func List[T any](ctx context.Context, a *Account, path string) ([]T, error) {
	var all []T
	var before json.RawMessage
	for page := 1; page <= mostPages; page++ {
		q := url.Values{"page": {strconv.Itoa(page)}, "per_page": {strconv.Itoa(pageSize)}}
		answer, err := a.persist(ctx, http.MethodGet, path+"?"+q.Encode(), nil, false, true)
		if err != nil {
			return nil, err
		}
		var some []T
		if err := answer.into(&some); err != nil {
			return nil, err
		}
		if len(some) > 0 && bytes.Equal(answer.result, before) {
			if len(all) < answer.total {
				return nil, fmt.Errorf("%s: page %d is the one before again, and there are to be %d of them", path, page, answer.total)
			}
			return all, nil
		}
		before = answer.result
		all = append(all, some...)
		last := len(some) < pageSize
		if answer.total > 0 {
			last = len(all) >= answer.total
		}
		if last || len(some) == 0 {
			return all, nil
		}
	}
	return nil, fmt.Errorf("%s: has no end after %d pages", path, mostPages)
}
