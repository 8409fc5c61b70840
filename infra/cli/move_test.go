package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/infra/client"
	"levada.dev/infra/client/clienttest"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/llm"
)

// hosts are pools by the names of their hosts.
type hosts map[string]*world

// Do implements client.Doer.
func (h hosts) Do(r *http.Request) (*http.Response, error) {
	w, known := h[r.URL.Host]
	if !known {
		return nil, fmt.Errorf("nobody is at %s", r.URL.Host)
	}
	return clienttest.Inside{Handler: w}.Do(r)
}

func TestATenantIsMoved(t *testing.T) {
	inWorld(t, func(t *testing.T, from *world) {
		to := newCLIWorld(t)
		pools := hosts{"old.example.com": from, "new.example.com": to}
		to.far = pools
		t.Setenv("ACME_OLD", from.keys["acme"])
		t.Setenv("ACME_NEW", to.keys["acme"])
		from.index("acme", "a", "Water flows in channels.")
		from.index("acme", "b", "Sheep graze on the plain.")
		from.index("globex", "secret", "Nobody else's.")
		talk := func(session, text string) {
			t.Helper()
			turn, err := from.ports.Sessions.Begin(t.Context(), tenantstest.Scope(t, "acme"), chat.Opening{
				Session: session, Messages: []llm.Message{{Role: llm.User, Content: text}}, Cause: events.Cause{ID: "request"},
			})
			require.NoError(t, err)
			_, err = from.ports.Sessions.Tell(t.Context(), tenantstest.Scope(t, "acme"), chat.News{
				Stream: turn.Stream, Events: []chat.Event{{ID: 1, Type: chat.Done, Data: json.RawMessage(`{}`)}}, Outcome: &chat.Outcome{Answer: llm.Message{Content: "All of them."}},
			})
			require.NoError(t, err)
		}
		talk("s-1", "Which gardens get water?")
		talk("s-2", "Who owns an hour?")
		run := func(args ...string) (int, string, string) {
			var out, errs bytes.Buffer
			args = append([]string{"move", "acme", "--from", "https://old.example.com", "--to", "https://new.example.com", "--key-from", "env:ACME_OLD", "--key-to", "env:ACME_NEW"}, args...)
			code := execute(t.Context(), &globals{http: pools}, args, &out, &errs)
			return code, from.plain(out.String()), from.plain(errs.String())
		}
		ok := func(args ...string) string {
			t.Helper()
			code, out, errs := run(args...)
			require.Equal(t, exitOK, code, errs)
			assert.NotContains(t, out+errs, from.keys["acme"])
			return out
		}
		out := ok("--estimate")
		assert.Contains(t, out, "at the source 2 documents")
		assert.Contains(t, out, "to bring     2 documents, 49 bytes")
		assert.Contains(t, out, "conversations 2, 2 to bring")
		assert.Contains(t, ok(), "nothing was done")
		assert.Contains(t, ok("--yes"), "move: succeeded, 2 documents at https://old.example.com: 2 here, 2 brought")
		assert.Contains(t, ok("--estimate"), "here already 2 documents")

		from.index("acme", "c", "Terraces hold it.")
		talk("s-1", "And the others?")
		out = ok("--yes", "--last")
		assert.Contains(t, out, "acme at https://old.example.com: readonly")
		assert.Contains(t, out, "3 here, 1 brought, 2 conversations: 2 here")
		there, err := from.ports.Sessions.Transcript(t.Context(), tenantstest.Scope(t, "acme"), "s-1", "", 10)
		require.NoError(t, err)
		here, err := to.ports.Sessions.Transcript(t.Context(), tenantstest.Scope(t, "acme"), "s-1", "", 10)
		require.NoError(t, err)
		assert.Len(t, here.Messages, 4)
		assert.Equal(t, there, here)
		assert.Contains(t, out, "of the month's budgets, verified")
		assert.Contains(t, ok("--yes", "--usage"), "what was used at the source counts at the destination")
		assert.Contains(t, out, "now lead the tenant's hosts to the destination")
		code, _, errs := from.run(t.Context(), "acme", "documents")
		require.Equal(t, exitOK, code, errs)

		code, _, errs = run("--yes")
		assert.Equal(t, exitProblem, code)
		assert.Contains(t, errs, "transfer_done")
		out = ok("--call-off", "--json")
		var st client.Standing
		require.NoError(t, json.Unmarshal([]byte(out), &st))
		assert.Equal(t, client.Live, st.State)
		code, _, errs = run("--yes", "--again", "--last", "--key-from", "env:ACME_NEW")
		assert.Equal(t, exitProblem, code, "the key of the other pool is none here")
		assert.Contains(t, errs, "unauthorized")
		assert.Contains(t, ok("--estimate", "--json"), `"same": 3`)
		cards, _, err := client.New("https://new.example.com", to.keys["globex"], &client.Options{Tenant: "globex", HTTP: pools}).Far().Cards(t.Context(), "")
		require.NoError(t, err)
		assert.Empty(t, cards)
	})
}

// The source's answer is lost after its conversations stand still and before its ledger says that it takes no changes.
func TestAMoveSaysWhatToDoWhenTheSourceIsHalfwayStill(t *testing.T) {
	inWorld(t, func(t *testing.T, from *world) {
		to := newCLIWorld(t)
		pools := hosts{"old.example.com": from, "new.example.com": to}
		to.far = pools
		t.Setenv("ACME_OLD", from.keys["acme"])
		t.Setenv("ACME_NEW", to.keys["acme"])
		run := func(args ...string) (int, string) {
			var out, errs bytes.Buffer
			args = append([]string{"move", "acme", "--from", "https://old.example.com", "--to", "https://new.example.com", "--key-from", "env:ACME_OLD", "--key-to", "env:ACME_NEW"}, args...)
			code := execute(t.Context(), &globals{http: pools}, args, &out, &errs)
			return code, out.String() + errs.String()
		}
		for _, args := range [][]string{{"--yes", "--last"}, {"--call-off"}} {
			from.around = func(h http.Handler) http.Handler {
				return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					if r.Method == http.MethodPost && r.URL.Path == "/tenant/transfer" {
						_ = from.ports.Money.Still(r.Context(), tenantstest.Scope(t, "acme"), true)
						rw.WriteHeader(http.StatusBadGateway)
						return
					}
					h.ServeHTTP(rw, r)
				})
			}
			code, said := run(args...)
			assert.Equal(t, exitProblem, code)
			assert.Contains(t, said, "the same again goes on, and --call-off has it take them again")
			from.around = nil
			st, err := client.New("https://old.example.com", from.keys["acme"], &client.Options{Tenant: "acme", HTTP: pools}).Standing(t.Context())
			require.NoError(t, err)
			assert.Equal(t, []any{client.Live, true}, []any{st.State, st.Still})
			_, said = run("--estimate")
			assert.Contains(t, said, "acme at https://old.example.com takes changes, and no turns: a change of that has failed on its way; --call-off lets conversations go on")
		}
		code, said := run("--call-off")
		require.Equal(t, exitOK, code, said)
		_, said = run("--estimate")
		assert.NotContains(t, said, "no turns")
	})
}

func TestMoveIsToldWhere(t *testing.T) {
	for _, args := range [][]string{
		{"move", "acme"}, {"move", "acme", "--from", "https://a.example.com"}, {"move", "acme", "--from", "https://a.example.com", "--to", "https://a.example.com"},
		{"move", "Acme!", "--from", "https://a.example.com", "--to", "https://b.example.com"}, {"move"},
		{"move", "acme", "--from", "https://a.example.com", "--to", "https://b.example.com", "--yes", "--estimate"},
		{"move", "acme", "--from", "ftp://a", "--to", "https://b.example.com"},
	} {
		code, _, stderr := levada(t, args...)
		assert.Equal(t, exitUsage, code, "%v: %s", args, stderr)
	}
	code, _, stderr := levada(t, "move", "acme", "--from", "https://a.example.com", "--to", "https://b.example.com", "--key-from", "lv_acme_notareference")
	assert.NotEqual(t, exitOK, code)
	assert.NotContains(t, stderr, "notareference")
}

func TestATenantIsExported(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.index("acme", "a/../b", "Water flows in channels.")
		w.index("acme", "c", "Sheep graze on the plain.")
		w.index("globex", "secret", "Nobody else's.")
		_, err := w.ports.Sessions.Begin(t.Context(), tenantstest.Scope(t, "acme"), chat.Opening{
			Session: "s-1", Messages: []llm.Message{{Role: llm.User, Content: "Which gardens get water?"}}, Cause: events.Cause{ID: "request"},
		})
		require.NoError(t, err)
		folder := filepath.Join(t.TempDir(), "out")
		export := func() {
			t.Helper()
			var out, errs bytes.Buffer
			code := execute(t.Context(), &globals{http: clienttest.Inside{Handler: w}}, []string{"export", "acme", "--out", folder, "--state-dir", w.state}, &out, &errs)
			require.Equal(t, exitOK, code, errs.String())
			assert.Equal(t, "2 documents and 1 conversation in "+folder+"\n", out.String())
		}
		export()
		list, err := os.ReadFile(filepath.Join(folder, "documents.ndjson"))
		require.NoError(t, err)
		assert.NotContains(t, string(list), "secret")
		for line := range bytes.Lines(list) {
			var x exported
			require.NoError(t, json.Unmarshal(line, &x))
			text, err := os.ReadFile(filepath.Join(folder, x.File))
			require.NoError(t, err)
			assert.Equal(t, x.SHA256, corpus.Sum(text), x.DocID)
		}
		talk, err := os.ReadFile(filepath.Join(folder, "sessions", "s-1.json"))
		require.NoError(t, err)
		assert.Contains(t, string(talk), "Which gardens get water?")
		usage, err := os.ReadFile(filepath.Join(folder, "usage.json"))
		require.NoError(t, err)
		assert.True(t, json.Valid(usage))

		texts := 0
		w.around = func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost {
					texts++
				}
				h.ServeHTTP(rw, r)
			})
		}
		export()
		assert.Zero(t, texts, "what is there is not fetched again")
	})
	code, _, _ := levada(t, "export", "acme")
	assert.Equal(t, exitUsage, code)
}
