package transfer

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"levada.dev/events/fault"
	"levada.dev/events/trace"
	"levada.dev/events/watch"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/corpus/web"
)

// Do sends one request and follows no redirect: isolate.Do on Workers, a http.Client's Do elsewhere.
type Do func(*http.Request) (*http.Response, error)

// Far is the tenant in another pool, as that pool's API shows it. It is safe for concurrent use.
type Far struct {
	do     Do
	from   string
	key    string
	tenant tenants.ID
}

// NewFar makes one. The address is one that Address has returned, and the key one of the tenant's with the scope export.
func NewFar(do Do, from, key string, tenant tenants.ID) *Far {
	return &Far{do: do, from: from, key: key, tenant: tenant}
}

// maxAnswer is how long the source may take for a page.
const maxAnswer = 2 * time.Minute

// FarPage is how many documents a page of the source's list has at most.
const FarPage = 200

// Standing is how the tenant stands to changes there.
func (f *Far) Standing(ctx context.Context) (Standing, error) {
	var answer struct {
		Data struct {
			State      string    `json:"state"`
			Since      time.Time `json:"since"`
			OnTheirWay int       `json:"onTheirWay"`
			Imports    int       `json:"imports"`
		} `json:"data"`
	}
	err := f.ask(ctx, http.MethodGet, "/tenant/transfer", nil, func(r io.Reader) error {
		if err := json.NewDecoder(io.LimitReader(r, maxLine)).Decode(&answer); err != nil {
			return errTorn("the answer is no JSON", err)
		}
		return nil
	})
	d := answer.Data
	return Standing{Readonly: d.State == "readonly", Since: d.Since, OnTheirWay: d.OnTheirWay, Imports: d.Imports}, err
}

// Usage is this month's account there, and its first day.
func (f *Far) Usage(ctx context.Context) (from quota.Day, lines []quota.Line, err error) {
	var answer struct {
		Data struct {
			From  quota.Day    `json:"from"`
			Lines []quota.Line `json:"lines"`
		} `json:"data"`
	}
	err = f.ask(ctx, http.MethodGet, "/usage", nil, func(r io.Reader) error {
		if err := json.NewDecoder(io.LimitReader(r, maxUsage)).Decode(&answer); err != nil || answer.Data.From == "" {
			return errTorn("the answer is no account", err)
		}
		return nil
	})
	return answer.Data.From, answer.Data.Lines, err
}

// maxUsage is how long an account may be.
const maxUsage = 2 << 20

// Cards lists documents from where a cursor says, "" for the beginning, and returns that of the rest, "" at the end.
func (f *Far) Cards(ctx context.Context, cursor string) (cards []Card, next string, err error) {
	q := url.Values{"limit": {strconv.Itoa(FarPage)}}
	if cursor != "" {
		q.Set("cursor", cursor)
	}
	err = f.ask(ctx, http.MethodGet, "/tenant/export/documents?"+q.Encode(), nil, func(r io.Reader) error {
		end, err := ReadPage(r, func(c Card, _ []byte) error {
			cards = append(cards, c)
			return nil
		})
		next = end.Next
		return err
	})
	return cards, next, err
}

// Sessions lists sessions by their ids from where a cursor says, "" for the beginning, and returns that of the rest, "" at the end.
func (f *Far) Sessions(ctx context.Context, cursor string) (places []chat.Place, next string, err error) {
	q := url.Values{"limit": {strconv.Itoa(FarPage)}}
	if cursor != "" {
		q.Set("cursor", cursor)
	}
	var answer struct {
		Data struct {
			Sessions []chat.Place `json:"sessions"`
			Cursor   string       `json:"cursor"`
		} `json:"data"`
	}
	err = f.ask(ctx, http.MethodGet, sessionsPath+"?"+q.Encode(), nil, func(r io.Reader) error {
		if err := json.NewDecoder(io.LimitReader(r, maxUsage)).Decode(&answer); err != nil || answer.Data.Sessions == nil {
			return errTorn("the answer is no list of sessions", err)
		}
		return nil
	})
	return answer.Data.Sessions, answer.Data.Cursor, err
}

// Parcels shows parcels of sessions, and returns of how many of them, from the first on. Those that are gone are left out.
func (f *Far) Parcels(ctx context.Context, wanted []chat.Wanted) (parcels []chat.Parcel, taken int, err error) {
	body, err := json.Marshal(map[string]any{"sessions": wanted})
	if err != nil {
		return nil, 0, fault.New(fault.Internal, "request_invalid", "the sessions do not encode", err)
	}
	var answer struct {
		Data struct {
			Parcels []chat.Parcel `json:"parcels"`
			Taken   int           `json:"taken"`
		} `json:"data"`
	}
	err = f.ask(ctx, http.MethodPost, sessionsPath, body, func(r io.Reader) error {
		err := json.NewDecoder(io.LimitReader(r, maxParcel)).Decode(&answer)
		if d := answer.Data; err != nil || d.Taken < 1 || d.Taken > len(wanted) || len(d.Parcels) > d.Taken {
			return errTorn("the answer has no parts of sessions", err)
		}
		return nil
	})
	return answer.Data.Parcels, answer.Data.Taken, err
}

const (
	sessionsPath = "/tenant/export/sessions"
	// maxParcel is how long a parcel may be: some MiB of turns, and one that is as long as any.
	maxParcel = 32 << 20
)

// Texts shows the documents of these ids with what was submitted of them, one after the other. Those that are gone are left out.
func (f *Far) Texts(ctx context.Context, ids []string, each func(c Card, text []byte) error) error {
	for len(ids) > 0 {
		body, err := json.Marshal(map[string][]string{"ids": ids[:min(len(ids), MaxCards)]})
		if err != nil {
			return fault.New(fault.Internal, "request_invalid", "the ids do not encode", err)
		}
		taken := 0
		err = f.ask(ctx, http.MethodPost, "/tenant/export/documents", body, func(r io.Reader) error {
			end, err := ReadPage(r, each)
			taken = end.Taken
			return err
		})
		if err != nil {
			return err
		}
		if taken < 1 || taken > len(ids) {
			return errTorn("it speaks of none of the documents", nil)
		}
		ids = ids[taken:]
	}
	return nil
}

// ask sends a request and reads the answer when it is one.
func (f *Far) ask(ctx context.Context, method, path string, body []byte, read func(io.Reader) error) (err error) {
	ctx, span := watch.Start(ctx, trace.Outside, "pool")
	defer func() { span.End(ctx, err) }()
	ctx, cancel := context.WithTimeout(ctx, maxAnswer)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, f.from+path, bytes.NewReader(body))
	if err != nil {
		return fault.New(fault.Invalid, "url_invalid", "is not an address", err)
	}
	req.Header.Set("Authorization", "Bearer "+f.key)
	req.Header.Set("X-Tenant-Id", string(f.tenant))
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	web.Traced(req, span)
	resp, err := f.do(req)
	if err != nil {
		return fault.Unavailablef(err, "source_unavailable", "the source did not answer")
	}
	defer resp.Body.Close()
	span.Note(func(f *trace.Facts) { f.Status = resp.StatusCode })
	if resp.StatusCode != http.StatusOK {
		return refused(resp)
	}
	return read(resp.Body)
}

// refused is why the source has not answered what it was asked for. Its code is told, and no words of it: they would be logged, and are whatever somebody's server says.
func refused(resp *http.Response) error {
	var answer struct {
		Error struct {
			Code    string `json:"code"`
			Details struct {
				RetryAfter int64 `json:"retryAfterMs"`
			} `json:"details"`
		} `json:"error"`
	}
	_ = json.NewDecoder(io.LimitReader(resp.Body, maxLine)).Decode(&answer) // what is no answer of ours says nothing
	said := fmt.Sprintf("the source answered %d", resp.StatusCode)
	if code := answer.Error.Code; code != "" && len(code) <= 64 && strings.Trim(code, "abcdefghijklmnopqrstuvwxyz_") == "" {
		said += " " + code
	}
	switch status := resp.StatusCode; {
	case status == http.StatusTooManyRequests || status >= http.StatusInternalServerError:
		return fault.Unavailablef(nil, "source_unavailable", "%s", said).WithRetryAfter(time.Duration(answer.Error.Details.RetryAfter) * time.Millisecond)
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return fault.New(fault.Conflict, "source_denied", said, nil).WithHint("the key has to be the tenant's at the source, with the scopes export and metrics")
	}
	return fault.New(fault.Conflict, "source_refused", said, nil)
}
