package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/api"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/job"
	"levada.dev/workflows/speech"
)

// inner are the codes of those who make takes.
var inner = []string{
	speech.CodeOver, speech.CodeBusy, speech.CodeUnshared, speech.CodeDiffers, speech.CodeIncomplete, speech.CodePart, speech.CodeInvalid,
}

// muddled is a desk, a booth and a recorder that answer with a code that is not for clients.
type muddled struct {
	speech.Desk
	speech.Booth
	err *fault.Error
}

func (m muddled) Open(ctx context.Context, s tenants.Scope, o speech.Opening) (speech.Opened, error) {
	if m.Desk != nil {
		return m.Desk.Open(ctx, s, o)
	}
	return speech.Opened{}, m.err
}

func (m muddled) Job(ctx context.Context, s tenants.Scope, id string) (speech.Job, error) {
	if m.Desk != nil {
		return m.Desk.Job(ctx, s, id)
	}
	return speech.Job{}, m.err
}

func (m muddled) Jobs(context.Context, tenants.Scope, string, int) (speech.Page, error) {
	return speech.Page{}, m.err
}

func (m muddled) Cancel(context.Context, tenants.Scope, string) (speech.Job, error) {
	return speech.Job{}, m.err
}

func (m muddled) Live(context.Context, tenants.Scope, speech.Claim, func()) error { return m.err }

// What those who make takes tell each other is in no table of clients, and comes out of no route and no job.
func TestInnerCodesOfSpeechReachNobody(t *testing.T) {
	known := map[string]bool{}
	for _, c := range api.Codes() {
		known[c.Name] = true
	}
	for _, code := range inner {
		assert.True(t, speech.Inner(code), code)
		assert.False(t, known[code], code)
		for _, kind := range []fault.Kind{fault.Invalid, fault.Conflict, fault.Unavailable} {
			for _, desk := range []bool{false, true} { // which fails itself, or whose takes nobody makes
				w := newWorld(t)
				m := muddled{err: fault.New(kind, code, "between us", nil)}
				if desk {
					m.Desk = w.studio.desk
				}
				w.deps.Speech, w.deps.Recorder = m, m
				h := api.New(w.deps, &w.opts)
				for _, x := range []struct{ method, target, body string }{
					{"POST", "/tts", speechBody("Water.", "")}, {"POST", "/tts", speechBody("Water.", streaming)},
					{"POST", "/v1/audio/speech", `{"model":"default","voice":"default","input":"Oil."}`}, {"GET", "/tts/jobs", ""},
					{"GET", "/tts/jobs/j", ""}, {"GET", "/tts/jobs/j/audio", ""}, {"DELETE", "/tts/jobs/j", ""},
				} {
					rec := httptest.NewRecorder()
					h.ServeHTTP(rec, w.request("acme", x.method, x.target, x.body))
					assert.NotContains(t, rec.Body.String(), code, "%s %s", x.method, x.target)
					assert.NotContains(t, rec.Body.String(), "between us", "%s %s", x.method, x.target)
					if !desk {
						assert.Equal(t, http.StatusInternalServerError, rec.Code, "%s %s", x.method, x.target)
					}
				}
			}
		}
		w := newWorld(t)
		for _, tenant := range []string{"acme", "globex"} {
			rec := w.do(tenant, "POST", "/tts", speechBody("Water.", ""))
			require.Equal(t, http.StatusAccepted, rec.Code)
			id := data[struct{ JobID string }](t, rec).JobID
			j, err := w.studio.desk.Job(t.Context(), w.scope(tenant), id)
			require.NoError(t, err)
			c, err := w.studio.desk.Claim(t.Context(), w.scope(tenant), j.Take)
			require.NoError(t, err)
			require.NoError(t, w.studio.desk.End(t.Context(), w.scope(tenant), c.Ticket, &job.Problem{Code: code, Message: "between us"}))
			rec = w.do(tenant, "GET", "/tts/jobs/"+id, "")
			assert.Contains(t, rec.Body.String(), `"code":"internal"`)
			assert.NotContains(t, rec.Body.String(), "between us")
		}
	}
}
