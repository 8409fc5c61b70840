package events_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/eventstest"
	"levada.dev/events/fault"
	"levada.dev/tenants/tenantstest"
)

// An event that tells an act is recorded with it, for its tenant; any other has none.
func TestAnActIsRecordedWithItsEvent(t *testing.T) {
	acme, globex := tenantstest.Two(t)
	want := events.Act{Kind: events.ActAdmin, Name: "jobs.cancel", Actor: "ops", RequestID: "r", Target: "jobs/j", Outcome: events.OutcomeBegun}
	for _, s := range []struct {
		fact events.Fact
		act  *events.Act
	}{
		{events.ActAttempted{What: want}, &want},
		{samples()["document.deleted/full"], &events.Act{Kind: events.ActDeletion, Name: "document.deleted", Target: "documents/guide.md", Outcome: events.OutcomeSucceeded}},
		{samples()["tenant.erased/by"], &events.Act{Kind: events.ActDeletion, Name: "tenant.erase", Actor: "operations", Target: "tenant", Outcome: events.OutcomeSucceeded}},
		{samples()["document.indexed/full"], nil},
	} {
		for _, scope := range []string{"acme", "globex"} {
			who, sender := acme, &eventstest.Sender{}
			if scope == "globex" {
				who = globex
			}
			ev, err := events.New(who, "api", events.Cause{ID: "r"}, noon, s.fact)
			require.NoError(t, err)
			require.NoError(t, events.NewPublisher(sender, &eventstest.Claims{}, nil).Publish(t.Context(), who, ev))
			recorded := sender.Events(events.StageAudit)
			require.Len(t, recorded, 1)
			assert.Equal(t, scope, string(recorded[0].Tenant))
			var fact events.EventRecorded
			require.NoError(t, recorded[0].As(&fact))
			assert.Equal(t, s.act, fact.Entries[0].Act, s.fact.Type())
		}
	}
}

func TestActsThatAreNone(t *testing.T) {
	good := events.Act{Kind: events.ActDeletion, Name: "documents.delete", Outcome: events.OutcomeBegun}
	require.NoError(t, events.ActAttempted{What: good}.Check())
	for field, change := range map[string]func(a *events.Act){
		"act.kind":            func(a *events.Act) { a.Kind = "other" },
		"act.name":            func(a *events.Act) { a.Name = "" },
		"act.outcome":         func(a *events.Act) { a.Outcome = "maybe" },
		"act.argumentsSha256": func(a *events.Act) { a.Arguments = `{"text":"secret"}` },
		"act":                 func(a *events.Act) { a.Tokens = -1 },
		"act.target":          func(a *events.Act) { a.Target = strings.Repeat("a", 513) },
		"act.userId":          func(a *events.Act) { a.UserID = strings.Repeat("ä", 129) },
		"act.code":            func(a *events.Act) { a.Code = strings.Repeat("a", 65) },
		"act.findings":        func(a *events.Act) { a.Findings = make([]events.Finding, 17) },

		"act.findings[1].in":       func(a *events.Act) { a.Findings = worseOf(func(f *events.Finding) { f.In = "other" }) },
		"act.findings[1].category": func(a *events.Act) { a.Findings = worseOf(func(f *events.Finding) { f.Category = "" }) },
		"act.findings[1].rule": func(a *events.Act) {
			a.Findings = worseOf(func(f *events.Finding) { f.Rule = strings.Repeat("secret", 11) })
		},
		"act.findings[1].score": func(a *events.Act) { a.Findings = worseOf(func(f *events.Finding) { f.Score = math.NaN() }) },
		"act.findings[1].target": func(a *events.Act) {
			a.Findings = worseOf(func(f *events.Finding) { f.Target = strings.Repeat("secret", 100) })
		},
		"act.findings[1].count": func(a *events.Act) { a.Findings = worseOf(func(f *events.Finding) { f.Count = -1 }) },
	} {
		bad := good
		change(&bad)
		err := bad.Check("act")
		assert.Equal(t, []string{field, "fact_invalid"}, []string{fault.As(err).Field, fault.As(err).Code}, field)
		assert.NotContains(t, err.Error(), "secret")
		assert.Error(t, events.EventRecorded{Entries: []events.AuditEntry{{
			ID: "i", Type: "t", Source: "s", Subject: "x", Time: noon, SHA256: strings.Repeat("0", 64), Act: &bad,
		}}}.Check(), field)
	}
	ended := good
	ended.Outcome = events.OutcomeSucceeded
	assert.Error(t, events.ActAttempted{What: ended}.Check(), "it has ended")
	assert.Error(t, events.ActPerformed{What: good}.Check(), "it has not ended")
	assert.Error(t, events.AccessRefused{What: ended}.Check())
	refused := events.Act{Kind: events.ActAccess, Name: "GET /jobs", Outcome: events.OutcomeRefused}
	assert.Error(t, events.AccessRefused{What: refused}.Check(), "it has a code")
}

// worseOf is two findings, of which the second is not right.
func worseOf(edit func(*events.Finding)) []events.Finding {
	good := events.Finding{In: events.InInput, Category: "injection", Rule: "override", Score: 0.97}
	bad := good
	edit(&bad)
	return []events.Finding{good, bad}
}

// What was flagged has findings, and a code where it was refused for them.
func TestWhatWasFlagged(t *testing.T) {
	good := events.Act{Kind: events.ActSafety, Name: "POST /chat", Outcome: events.OutcomeFlagged, Findings: worseOf(func(*events.Finding) {})}
	require.NoError(t, events.TextFlagged{What: good}.Check())
	for field, change := range map[string]func(a *events.Act){
		"act.findings": func(a *events.Act) { a.Findings = nil },
		"act":          func(a *events.Act) { a.Code = "content_blocked" },
		"act.name":     func(a *events.Act) { a.Name = "" },
	} {
		bad := good
		change(&bad)
		assert.Equal(t, field, fault.As(events.TextFlagged{What: bad}.Check()).Field)
	}
	refused := good
	refused.Outcome = events.OutcomeRefused
	assert.Error(t, events.TextFlagged{What: refused}.Check(), "it has a code")
	refused.Code = "content_blocked"
	assert.NoError(t, events.TextFlagged{What: refused}.Check())
	refused.Kind = events.ActAccess
	assert.Error(t, events.TextFlagged{What: refused}.Check())
}
