package events_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/schema"
)

const page = "../docs/events.md"

// TestPageIsFresh fails when docs/events.md does not say what the code says; run with -update.
func TestPageIsFresh(t *testing.T) {
	want := renderPage(t)
	if *update {
		require.NoError(t, os.WriteFile(page, want, 0o644))
	}
	got, err := os.ReadFile(page)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "stale: go test ./events -run TestPageIsFresh -update")
}

// member is a property of a schema, in the schema's order.
type member struct {
	name     string
	required bool
	schema   object
}

type object struct {
	Description string
	Type        string
	Const       string
	Format      string
	Encoding    string `json:"contentEncoding"`
	Required    []string
	Properties  json.RawMessage
	Items       *object
}

func renderPage(t *testing.T) []byte {
	var b bytes.Buffer
	fmt.Fprintln(&b, "# Events\n\nGenerated from `events/spec.go` and `events/schema/`; run `go test ./events -run TestPageIsFresh -update` after a change.")
	fmt.Fprintln(&b, "\nWhat the envelope, the ids and the publisher promise: [design/events.md](design/events.md).")
	fmt.Fprintln(&b, "\n| type | queue | producer | consumer |\n|---|---|---|---|")
	for _, spec := range events.Specs() {
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s | %s | %s |\n", spec.Type, strings.ReplaceAll(spec.Type, ".", ""),
			orDash(string(spec.Stage)), spec.Producer, orDash(spec.Consumer))
	}
	fmt.Fprintln(&b, "\nEvery event but `event.recorded` is also recorded in the `audit` queue: its envelope and the digest of its data; of an event with `act`, and of `document.deleted` and `tenant.erased`, also who did what ([audit.md](audit.md)).")
	fmt.Fprintln(&b, "\n## Envelope")
	renderMembers(t, &b, load(t, schema.Envelope))
	for _, spec := range events.Specs() {
		fact := load(t, spec.Type)
		fmt.Fprintf(&b, "\n## %s\n\n%s Subject `%s`. [Schema](../events/schema/%s.json), [goldens](../events/testdata/%[4]s/).\n",
			spec.Type, spec.Says, subjects[spec.Type], spec.Type)
		renderMembers(t, &b, fact)
	}
	return b.Bytes()
}

// subjects are the forms of the subjects, which only code makes.
var subjects = map[string]string{
	events.TypeDocumentRequested:        "documents/<docId>",
	events.TypeDocumentSubmitted:        "documents/<docId>",
	events.TypeDocumentChunked:          "documents/<docId>",
	events.TypeChunksEmbedded:           "documents/<docId>",
	events.TypeDocumentIndexed:          "documents/<docId>",
	events.TypeDocumentFailed:           "documents/<docId>",
	events.TypeImportStarted:            "imports/<importId>",
	events.TypeImportCompleted:          "imports/<importId>",
	events.TypeDocumentRetired:          "documents/<docId>",
	events.TypeDocumentDeleted:          "documents/<docId>",
	events.TypeDocumentErased:           "documents/<docId>",
	events.TypeTenantErasureRequested:   "tenant",
	events.TypeTenantErased:             "tenant",
	events.TypeTenantEmbeddingRequested: "tenant",
	events.TypeTenantEmbeddingSwitched:  "tenant",
	events.TypeTenantTransferRequested:  "tenant",
	events.TypeSpeechRequested:          "speech/<take>",
	events.TypeSpeechSynthesized:        "speech/<take>",
	events.TypeSpeechFailed:             "speech/<take>",
	events.TypeAlertFired:               "alerts/<alertId>",
	events.TypeAlertResolved:            "alerts/<alertId>",
	events.TypeChatCompleted:            "sessions/<sessionId>",
	events.TypeUsageRecorded:            "usage",
	events.TypeBudgetExhausted:          "budgets/<period>/<unit>",
	events.TypeLettersReplayed:          "letters",
	events.TypeActAttempted:             "acts/<name>",
	events.TypeActPerformed:             "acts/<name>",
	events.TypeAccessRefused:            "access",
	events.TypeTextFlagged:              "safety",
	events.TypeToolStarted:              "calls/<callId>",
	events.TypeToolExecuted:             "calls/<callId>",
	events.TypeEventRecorded:            "audit",
}

func TestSubjectsAreWhatThePageSays(t *testing.T) {
	require.Len(t, subjects, len(events.Specs()))
	for _, fact := range samples() {
		got := strings.NewReplacer("guide.md", "<docId>", "documents/a", "documents/<docId>", "3f2c7c1e", "<sessionId>",
			"day/tokens", "<period>/<unit>", "month/characters", "<period>/<unit>", "documents.delete", "<name>", "events.replay", "<name>", "6f1d3c1e-2f0b-4c63-9a53-0d8e1c7ab001", "<importId>",
			"0123456789abcdef0123456789abcdef01234567-1", "<take>", "too-many-failures", "<alertId>", "calls/c", "calls/<callId>", "0e8c1b62-6f6a-4b3c-9a51-5a2f0d6e7c11", "<callId>").Replace(fact.Subject())
		require.Equal(t, subjects[fact.Type()], got, fact.Type())
	}
}

func load(t *testing.T, typ string) object {
	t.Helper()
	text, err := schema.Of(typ)
	require.NoError(t, err)
	var o object
	require.NoError(t, json.Unmarshal(text, &o))
	return o
}

func renderMembers(t *testing.T, b *bytes.Buffer, o object) {
	fmt.Fprintln(b, "\n| member | type | | |\n|---|---|---|---|")
	rows(t, b, "", o)
}

func rows(t *testing.T, b *bytes.Buffer, prefix string, o object) {
	for _, m := range members(t, o) {
		need := "optional"
		if m.required {
			need = "required"
		}
		typ := m.schema.Type
		switch {
		case m.schema.Const != "":
			typ = "`" + m.schema.Const + "`"
		case m.schema.Format != "":
			typ += ", " + m.schema.Format
		case m.schema.Encoding != "":
			typ += ", " + m.schema.Encoding
		}
		fmt.Fprintf(b, "| `%s%s` | %s | %s | %s |\n", prefix, m.name, typ, need, strings.ReplaceAll(m.schema.Description, "<", "&lt;"))
		if m.schema.Items != nil {
			rows(t, b, prefix+m.name+"[].", *m.schema.Items)
		}
		rows(t, b, prefix+m.name+".", m.schema)
	}
}

// members reads the properties in the order in which they are written, which a map would lose.
func members(t *testing.T, o object) []member {
	if o.Properties == nil {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(o.Properties))
	_, err := dec.Token()
	require.NoError(t, err)
	required := map[string]bool{}
	for _, name := range o.Required {
		required[name] = true
	}
	var all []member
	for dec.More() {
		name, err := dec.Token()
		require.NoError(t, err)
		m := member{name: name.(string), required: required[name.(string)]}
		require.NoError(t, dec.Decode(&m.schema))
		all = append(all, m)
	}
	return all
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
