package events_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 123456789, time.UTC)

// indexed is an event of tenant acme, changed by edit.
func indexed(t testing.TB, edit func(*events.Event)) events.Event {
	t.Helper()
	fact := events.DocumentIndexed{DocumentRef: events.DocumentRef{DocID: "guide.md", Generation: 3, JobID: "j"}, Chunks: 18, Model: "m"}
	e, err := events.New(tenantstest.Scope(t, "acme"), "consumers",
		events.Cause{ID: "r-1", TraceParent: traceparent, IdempotencyKey: "key"}, noon, fact)
	require.NoError(t, err)
	if edit != nil {
		edit(&e)
	}
	return e
}

// sdkOf builds the same event with the SDK's own setters.
func sdkOf(t testing.TB, e events.Event) cloudevents.Event {
	t.Helper()
	ce := cloudevents.New()
	ce.SetID(e.ID)
	ce.SetSource(e.Source)
	ce.SetType(e.Type)
	ce.SetSubject(e.Subject)
	ce.SetTime(e.Time)
	ce.SetDataContentType("application/json")
	for name, value := range map[string]string{
		"tenantid": string(e.Tenant), "traceparent": e.TraceParent, "causationid": e.CausationID,
		"idempotencykey": e.IdempotencyKey, "dataref": e.DataRef,
	} {
		if value != "" {
			ce.SetExtension(name, value)
		}
	}
	if e.DataRef == "" {
		ce.DataEncoded = e.Data
	}
	require.NoError(t, ce.Validate())
	return ce
}

// ourEvents are valid and try every field.
func ourEvents(t testing.TB) map[string]events.Event {
	ref := "claims/e1." + strings.Repeat("0123456789abcdef", 4)
	return map[string]events.Event{
		"all fields": indexed(t, nil),
		"least":      indexed(t, func(e *events.Event) { e.TraceParent, e.CausationID, e.IdempotencyKey = "", "", "" }),
		"claimed":    indexed(t, func(e *events.Event) { e.Data, e.DataRef = nil, ref }),
		"quotes":     indexed(t, func(e *events.Event) { e.Subject, e.IdempotencyKey = `documents/"a\b"`, `\"` }),
		"html":       indexed(t, func(e *events.Event) { e.Subject, e.CausationID = "documents/<a>&b", "</script>" }),
		"unicode": indexed(t, func(e *events.Event) {
			e.Subject, e.IdempotencyKey = "documents/ä/日本/😀", "\u2028\u2029\u00a0\ufffd"
		}),
		"other zone":      indexed(t, func(e *events.Event) { e.Time = e.Time.In(time.FixedZone("", 3600)) }),
		"whole second":    indexed(t, func(e *events.Event) { e.Time = e.Time.Truncate(time.Second) }),
		"old":             indexed(t, func(e *events.Event) { e.Time = time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC) }),
		"data with space": indexed(t, func(e *events.Event) { e.Data = json.RawMessage("\n{ \"a\" : [1,\t2] } ") }),
		"data unescaped":  indexed(t, func(e *events.Event) { e.Data = json.RawMessage(`{"a":"<ä>\u0000\ud800"}`) }),
		"data null":       indexed(t, func(e *events.Event) { e.Data = json.RawMessage(`null`) }),
		"deep worker":     indexed(t, func(e *events.Event) { e.Source = "/tenants/acme/consumers/chunk" }),
		"plain id":        indexed(t, func(e *events.Event) { e.ID = "A.b_c~d-1" }),
	}
}

func TestEncodingIsTheSDKs(t *testing.T) {
	for name, e := range ourEvents(t) {
		t.Run(name, func(t *testing.T) {
			ours, err := e.MarshalJSON()
			require.NoError(t, err)
			theirs, err := sdkOf(t, e).MarshalJSON()
			require.NoError(t, err)
			assert.Equal(t, string(theirs), string(ours))

			var back cloudevents.Event
			require.NoError(t, back.UnmarshalJSON(ours))
			require.NoError(t, back.Validate())
			again, err := back.MarshalJSON()
			require.NoError(t, err)
			assert.JSONEq(t, string(ours), string(again))
		})
	}
}

func TestEncodingDecodesToTheSame(t *testing.T) {
	for name, e := range ourEvents(t) {
		t.Run(name, func(t *testing.T) {
			b, err := e.MarshalJSON()
			require.NoError(t, err)
			got, err := events.Decode(b)
			require.NoError(t, err)
			want := e
			want.Time = e.Time.UTC()
			want.Data = json.RawMessage(strings.TrimSpace(string(e.Data)))
			if e.Data == nil {
				want.Data = nil
			}
			assert.Equal(t, want, got)
			_, err = events.DecodeForeign(b)
			assert.NoError(t, err)
		})
	}
}

func TestAppendJSONAppends(t *testing.T) {
	e := indexed(t, nil)
	b, err := e.AppendJSON([]byte("x"))
	require.NoError(t, err)
	plain, err := json.Marshal(e)
	require.NoError(t, err)
	assert.JSONEq(t, string(plain), string(b[1:]))
	assert.Equal(t, byte('x'), b[0])
}

func TestDecodeIgnoresOrderAndUnknownExtensions(t *testing.T) {
	e, err := events.Decode([]byte(`{"data":{"a":1},"tenantid":"acme","newer":7,"time":"2026-11-22T12:00:00+01:00","subject":"s",` +
		`"type":"t","source":"/tenants/acme/api","id":"1","specversion":"1.0"}`))
	require.NoError(t, err)
	assert.Equal(t, events.Event{
		ID: "1", Type: "t", Source: "/tenants/acme/api", Subject: "s", Tenant: "acme",
		Time: time.Date(2026, 11, 22, 11, 0, 0, 0, time.UTC), Data: json.RawMessage(`{"a":1}`),
	}, e)
}

// badEvents break the rules of CloudEvents or ours; each must be refused when it is written and when it is read.
var badEvents = map[string]struct {
	field string
	edit  func(*events.Event)
}{
	"no id":                   {"id", func(e *events.Event) { e.ID = "" }},
	"id with a slash":         {"id", func(e *events.Event) { e.ID = "a/b" }},
	"id of dots":              {"id", func(e *events.Event) { e.ID = ".." }},
	"long id":                 {"id", func(e *events.Event) { e.ID = strings.Repeat("x", 129) }},
	"no type":                 {"type", func(e *events.Event) { e.Type = "" }},
	"type with a control":     {"type", func(e *events.Event) { e.Type = "a\x01" }},
	"no subject":              {"subject", func(e *events.Event) { e.Subject = "" }},
	"blank subject":           {"subject", func(e *events.Event) { e.Subject = " " }},
	"no time":                 {"time", func(e *events.Event) { e.Time = time.Time{} }},
	"year 10000":              {"time", func(e *events.Event) { e.Time = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }},
	"no tenant":               {"tenantid", func(e *events.Event) { e.Tenant = "" }},
	"bad tenant":              {"tenantid", func(e *events.Event) { e.Tenant, e.Source = "A", "/tenants/A/api" }},
	"another tenant":          {"tenantid", func(e *events.Event) { e.Tenant = "globex" }},
	"another tenant's source": {"tenantid", func(e *events.Event) { e.Source = "/tenants/globex/api" }},
	"no source":               {"source", func(e *events.Event) { e.Source = "" }},
	"foreign source":          {"source", func(e *events.Event) { e.Source = "https://example.com/tenants/acme/api" }},
	"source without worker":   {"source", func(e *events.Event) { e.Source = "/tenants/acme" }},
	"source of empty worker":  {"source", func(e *events.Event) { e.Source = "/tenants/acme/" }},
	"source with dots":        {"source", func(e *events.Event) { e.Source = "/tenants/acme/../globex/api" }},
	"source with a query":     {"source", func(e *events.Event) { e.Source = "/tenants/acme/api?x" }},
	"bad traceparent":         {"traceparent", func(e *events.Event) { e.TraceParent = "00-abc" }},
	"capital traceparent":     {"traceparent", func(e *events.Event) { e.TraceParent = strings.ToUpper(traceparent) }},
	"control in cause":        {"causationid", func(e *events.Event) { e.CausationID = "a\n" }},
	"control in key":          {"idempotencykey", func(e *events.Event) { e.IdempotencyKey = "\x7f" }},
	"long key":                {"idempotencykey", func(e *events.Event) { e.IdempotencyKey = strings.Repeat("x", 9000) }},
	"no data":                 {"data", func(e *events.Event) { e.Data = nil }},
	"dataref elsewhere":       {"dataref", func(e *events.Event) { e.Data, e.DataRef = nil, "https://example.com/x" }},
	"dataref of no digest":    {"dataref", func(e *events.Event) { e.Data, e.DataRef = nil, "claims/e1" }},
	"dataref of bad digest":   {"dataref", func(e *events.Event) { e.Data, e.DataRef = nil, "claims/e1."+strings.Repeat("x", 64) }},
	"dataref up":              {"dataref", func(e *events.Event) { e.Data, e.DataRef = nil, "claims/../e1."+strings.Repeat("0", 64) }},
	"data and dataref":        {"dataref", func(e *events.Event) { e.DataRef = "claims/e1." + strings.Repeat("0", 64) }},
}

func TestBadEventsAreNotWritten(t *testing.T) {
	for name, c := range badEvents {
		t.Run(name, func(t *testing.T) {
			e := indexed(t, c.edit)
			_, err := e.MarshalJSON()
			require.Error(t, err)
			f := fault.As(err)
			assert.Equal(t, fault.Invalid, f.Kind)
			assert.Equal(t, "event_invalid", f.Code)
			assert.Equal(t, c.field, f.Field)
		})
	}
}

func TestBadEventsAreNotRead(t *testing.T) {
	for name, c := range badEvents {
		t.Run(name, func(t *testing.T) {
			e := indexed(t, c.edit)
			members := map[string]any{
				"specversion": "1.0", "datacontenttype": "application/json", "id": e.ID, "type": e.Type, "subject": e.Subject,
				"source": e.Source, "tenantid": e.Tenant, "traceparent": e.TraceParent, "causationid": e.CausationID,
				"idempotencykey": e.IdempotencyKey, "dataref": e.DataRef, "time": e.Time.Format(time.RFC3339Nano), "data": e.Data,
			}
			for _, optional := range []string{"traceparent", "causationid", "idempotencykey", "dataref", "tenantid"} {
				if members[optional] == "" || members[optional] == tenants.ID("") {
					delete(members, optional)
				}
			}
			if e.Data == nil {
				delete(members, "data")
			}
			if e.Time.IsZero() {
				delete(members, "time")
			}
			b, err := json.Marshal(members)
			require.NoError(t, err)
			_, err = events.Decode(b)
			require.Error(t, err, "%s", b)
			assert.Equal(t, "event_invalid", fault.As(err).Code)
			assert.Equal(t, c.field, fault.As(err).Field)
		})
	}
}

func TestBadDataIsNotWritten(t *testing.T) {
	for name, data := range map[string]string{
		"cut off": `{"a":`, "two values": `{} {}`, "not UTF-8": "\"\xff\"", "injection": `{},"tenantid":"globex"`,
		"too deep": strings.Repeat("[", 200) + strings.Repeat("]", 200), "blank": " ",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := indexed(t, func(e *events.Event) { e.Data = json.RawMessage(data) }).MarshalJSON()
			require.Error(t, err)
			assert.Equal(t, "data", fault.As(err).Field)
		})
	}
}

func TestDecodeRefusesWhatOnlyForeignEventsMayHave(t *testing.T) {
	ours := `"tenantid":"acme","time":"2026-11-22T12:00:00Z","subject":"s"`
	for name, c := range map[string]struct{ field, members string }{
		"binary data":        {"data_base64", ours + `,"data_base64":"AAAA"`},
		"null binary data":   {"data_base64", ours + `,"data":{},"data_base64":null`},
		"text":               {"datacontenttype", ours + `,"datacontenttype":"text/plain","data":"x"`},
		"tenant of a number": {"tenantid", `"tenantid":5,"time":"2026-11-22T12:00:00Z","subject":"s","data":{}`},
		"empty cause":        {"causationid", ours + `,"causationid":"","data":{}`},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(event(c.members), `"/s"`, `"/tenants/acme/api"`, 1)
			_, err := events.DecodeForeign([]byte(text))
			require.NoError(t, err)
			_, err = events.Decode([]byte(text))
			require.Error(t, err)
			assert.Equal(t, c.field, fault.As(err).Field)
		})
	}
}

func TestAs(t *testing.T) {
	e := indexed(t, nil)
	var fact events.DocumentIndexed
	require.NoError(t, e.As(&fact))
	assert.Equal(t, "guide.md", fact.DocID)
	assert.Equal(t, 18, fact.Chunks)

	e.Data = json.RawMessage(`{"docId":"guide.md","generation":3,"jobId":"j","chunks":18,"model":"m","added":"later"}`)
	require.NoError(t, e.As(&fact), "a newer producer's member must not stop an older consumer")

	for name, c := range map[string]struct {
		data, code string
	}{
		"wrong type":      {`{"docId":5}`, "event_invalid"},
		"wrong number":    {`{"docId":"a","generation":1.5,"jobId":"j"}`, "event_invalid"},
		"no object":       {`[]`, "event_invalid"},
		"null":            {`null`, "fact_invalid"},
		"missing member":  {`{"docId":"a","generation":1}`, "fact_invalid"},
		"senseless value": {`{"docId":"a","generation":0,"jobId":"j"}`, "fact_invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			err := indexed(t, func(e *events.Event) { e.Data = json.RawMessage(c.data) }).As(&events.DocumentIndexed{})
			require.Error(t, err)
			assert.Equal(t, fault.Invalid, fault.KindOf(err))
			assert.Equal(t, c.code, fault.As(err).Code)
		})
	}
}

func TestAsIsNotForOtherTypesOrClaimedData(t *testing.T) {
	e := indexed(t, nil)
	assert.Equal(t, "event_type", fault.As(e.As(&events.DocumentFailed{})).Code)
	assert.Equal(t, "event_type", fault.As(e.As(&map[string]any{})).Code)
	claimed := indexed(t, func(e *events.Event) { e.Data, e.DataRef = nil, "claims/e1."+strings.Repeat("0", 64) })
	assert.Equal(t, "event_unresolved", fault.As(claimed.As(&events.DocumentIndexed{})).Code)
}

func TestNewDerivesTheID(t *testing.T) {
	s := tenantstest.Scope(t, "acme")
	cause := events.Cause{ID: "r-1"}
	fact := events.DocumentIndexed{DocumentRef: events.DocumentRef{DocID: "a", Generation: 1, JobID: "j"}, Model: "m"}
	first, err := events.New(s, "api", cause, noon, fact)
	require.NoError(t, err)
	again, err := events.New(s, "consumers", cause, noon.Add(time.Hour), fact)
	require.NoError(t, err)
	assert.Equal(t, first.ID, again.ID, "the same fact of the same cause, told again")

	others := map[string]events.Event{}
	for name, make := range map[string]func() (events.Event, error){
		"tenant": func() (events.Event, error) {
			return events.New(tenantstest.Scope(t, "globex"), "api", cause, noon, fact)
		},
		"cause":    func() (events.Event, error) { return events.New(s, "api", events.Cause{ID: "r-2"}, noon, fact) },
		"subject":  func() (events.Event, error) { f := fact; f.DocID = "b"; return events.New(s, "api", cause, noon, f) },
		"identity": func() (events.Event, error) { f := fact; f.Generation = 2; return events.New(s, "api", cause, noon, f) },
		"type": func() (events.Event, error) {
			return events.New(s, "api", cause, noon, events.DocumentFailed{DocumentRef: fact.DocumentRef, Stage: "x", Code: "y"})
		},
	} {
		e, err := make()
		require.NoError(t, err)
		assert.NotEqual(t, first.ID, e.ID, name)
		others[e.ID] = e
	}
	assert.Len(t, others, 5)
}

func TestNewRefuses(t *testing.T) {
	fact := events.DocumentIndexed{DocumentRef: events.DocumentRef{DocID: "a", Generation: 1, JobID: "j"}}
	_, err := events.New(tenants.Scope{}, "api", events.Cause{}, noon, fact)
	assert.ErrorIs(t, err, tenants.ErrNoScope)
	fact.JobID = ""
	_, err = events.New(tenantstest.Scope(t, "acme"), "api", events.Cause{}, noon, fact)
	assert.Equal(t, "fact_invalid", fault.As(err).Code)
}

func FuzzEncodingIsTheSDKs(f *testing.F) {
	f.Add("documents/ä\"\\", "key", "cause", []byte(`{"a":1}`), int64(0))
	f.Add("<>&\u2028", "\\", "\"", []byte(`["\ud800", 1e5]`), int64(1<<62))
	f.Fuzz(func(t *testing.T, subject, key, cause string, data []byte, nanos int64) {
		e := indexed(t, func(e *events.Event) {
			e.Subject, e.IdempotencyKey, e.CausationID, e.Data, e.Time = subject, key, cause, data, time.Unix(0, nanos)
		})
		ours, err := e.MarshalJSON()
		if err != nil {
			require.Equal(t, "event_invalid", fault.As(err).Code)
			return
		}
		require.True(t, json.Valid(ours))
		if strings.TrimSpace(subject) == subject { // the SDK's setter trims
			theirs, err := sdkOf(t, e).MarshalJSON()
			require.NoError(t, err)
			require.Equal(t, string(theirs), string(ours))
		}
		back, err := events.Decode(ours)
		require.NoError(t, err)
		again, err := back.MarshalJSON()
		require.NoError(t, err)
		require.Equal(t, strings.Replace(string(ours), string(data), string(back.Data), 1), string(again))
	})
}
