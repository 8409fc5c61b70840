package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// happening is one event of a turn.
type happening struct {
	ID   int
	Type string
	Data json.RawMessage
}

// final reports whether nothing may follow it.
func (h happening) final() bool { return h.Type == "done" || h.Type == "error" }

// field is a text of its data.
func (h happening) field(name string) string {
	var data map[string]any
	_ = json.Unmarshal(h.Data, &data) // what is none has no field
	text, _ := data[name].(string)
	return text
}

// talk is a turn as a client hears it.
type talk struct {
	Session, Stream string
	resp            *http.Response
	lines           *bufio.Scanner
	leave           context.CancelFunc
}

// say begins a turn and listens.
func (u user) say(message string, more map[string]any, headers ...string) (*talk, error) {
	body := map[string]any{"message": message}
	for k, v := range more {
		body[k] = v
	}
	b, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	return u.listen(http.MethodPost, "/chat", b, headers...)
}

// resume listens to a turn from after an event on.
func (u user) resume(stream string, after int) (*talk, error) {
	return u.listen(http.MethodGet, "/chat/streams/"+stream, nil, "last-event-id", strconv.Itoa(after))
}

func (u user) listen(method, path string, body []byte, headers ...string) (*talk, error) {
	ctx, leave := context.WithCancel(u.t.Context())
	req, err := http.NewRequestWithContext(ctx, method, u.url+path, bytes.NewReader(body))
	if err != nil {
		leave()
		return nil, err
	}
	req.Header.Set("content-type", "application/json")
	req.Header.Set("authorization", "Bearer "+u.key)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		leave()
		return nil, err
	}
	s := &talk{resp.Header.Get("x-session-id"), resp.Header.Get("x-stream-id"), resp, bufio.NewScanner(resp.Body), leave}
	if resp.StatusCode != http.StatusOK {
		defer s.close()
		var b bytes.Buffer
		_, _ = b.ReadFrom(resp.Body) // as much as there is
		return nil, fmt.Errorf("%s: %s", resp.Status, &b)
	}
	return s, nil
}

// next waits for the next event; an answer that ends without one is an error.
func (s *talk) next() (h happening, err error) {
	for s.lines.Scan() {
		line := s.lines.Text()
		field, value, _ := strings.Cut(line, ": ")
		switch {
		case line == "" && h.Type != "":
			return h, nil
		case field == "id":
			h.ID, err = strconv.Atoi(value)
		case field == "event":
			h.Type = value
		case field == "data":
			h.Data = json.RawMessage(value)
		}
		if err != nil {
			return h, err
		}
	}
	if err := s.lines.Err(); err != nil {
		return h, err
	}
	return h, fmt.Errorf("the stream ended without an end")
}

// rest waits for the end of the turn, and makes sure that nothing follows it.
func (s *talk) rest() (all []happening, err error) {
	defer s.close()
	for {
		h, err := s.next()
		if err != nil {
			return all, err
		}
		all = append(all, h)
		if !h.final() {
			continue
		}
		if extra, err := s.next(); err == nil {
			return append(all, extra), fmt.Errorf("%s %s follows the end", extra.Type, extra.Data)
		}
		return all, nil
	}
}

// some listens until it has heard n tokens or the end.
func (s *talk) some(n int) (all []happening, err error) {
	for n > 0 {
		h, err := s.next()
		if err != nil {
			return all, err
		}
		all = append(all, h)
		if h.final() {
			return all, nil
		}
		if h.Type == "token" {
			n--
		}
	}
	return all, nil
}

// close leaves.
func (s *talk) close() {
	s.leave()
	_ = s.resp.Body.Close() // nobody wants the rest
}

// said is the text of a turn's tokens.
func said(all []happening) string {
	var b strings.Builder
	for _, h := range all {
		if h.Type == "token" {
			b.WriteString(h.field("token"))
		}
	}
	return b.String()
}

// inOrder requires that ids grow and that exactly the last event is final, which it returns.
func inOrder(t *testing.T, all []happening) happening {
	t.Helper()
	require.NotEmpty(t, all)
	for i, h := range all {
		assert.Equal(t, i == len(all)-1, h.final(), "%d: %s %s", i, h.Type, h.Data)
		if i > 0 {
			assert.Greater(t, h.ID, all[i-1].ID)
		}
	}
	return all[len(all)-1]
}

// tells has a user say something and returns how the turn went.
func (u user) tells(message string, more map[string]any) []happening {
	u.t.Helper()
	s, err := u.say(message, more)
	require.NoError(u.t, err)
	all, err := s.rest()
	require.NoError(u.t, err)
	return all
}

// citation is what a sentence of an answer rests on.
type citation struct {
	Marker     int
	Source     string
	DocID      string `json:"docId"`
	Quote      string
	Start, End int
	Supported  bool
	Sentence   string
}

// cited are the citations of a turn, which come once, before the usage.
func cited(t *testing.T, all []happening) (c []citation) {
	t.Helper()
	at := -1
	for i, h := range all {
		if h.Type == "citations" {
			require.Equal(t, -1, at, "they come once")
			at = i
			var data struct{ Citations []citation }
			require.NoError(t, json.Unmarshal(h.Data, &data))
			c = data.Citations
		}
	}
	require.Equal(t, len(all)-3, at, "%v", all)
	return c
}

// history is a session as its tenant reads it.
type history struct {
	SessionID string `json:"sessionId"`
	Messages  []struct {
		Role, Content, Error string
		Turn                 int
		Citations            []citation
	} `json:"messages"`
}

func (u user) history(session string) (h history) {
	u.t.Helper()
	u.do(http.MethodGet, "/sessions/"+session+"/history", nil).into(u.t, &h)
	return h
}

// account is what a tenant's calls have cost.
type account struct {
	Budgets []struct {
		Period, Unit           string
		Limit, Spent, Reserved int64
	} `json:"budgets"`
	Totals struct {
		Calls, PromptTokens, CompletionTokens, NanoUSD int64
		Estimated                                      int64 `json:"estimatedCalls"`
	} `json:"totals"`
}

func (u user) account() (a account) {
	u.t.Helper()
	u.do(http.MethodGet, "/usage", nil).into(u.t, &a)
	return a
}

// tokensToday is the budget of a day's tokens.
func (a account) tokensToday() (limit, spent, reserved int64) {
	for _, b := range a.Budgets {
		if b.Period == "day" && b.Unit == "tokens" {
			return b.Limit, b.Spent, b.Reserved
		}
	}
	return 0, 0, 0
}
