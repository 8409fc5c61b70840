package events_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
)

// edited is a sample with members replaced, which may make it wrong.
func edited(t *testing.T, sample, members string) events.Fact {
	t.Helper()
	fact := samples()[sample]
	require.NotNil(t, fact)
	spec, _ := events.SpecOf(fact.Type())
	b, err := json.Marshal(fact)
	require.NoError(t, err)
	into := spec.New()
	require.NoError(t, json.Unmarshal(b, into))
	require.NoError(t, json.Unmarshal([]byte(members), into))
	return into
}

// TestCheckAndSchemaAgree takes the samples to the edges of what is allowed: a fact is fit to be told exactly when its
// schema describes it.
func TestCheckAndSchemaAgree(t *testing.T) {
	for name, c := range map[string]struct {
		sample, members string
		field           string // of the mistake; empty when there is none
	}{
		"as it is":          {"document.submitted/full", `{}`, ""},
		"as little as can":  {"document.submitted/minimal", `{}`, ""},
		"no document":       {"document.submitted/full", `{"docId":""}`, "docId"},
		"no generation":     {"document.submitted/full", `{"generation":0}`, "generation"},
		"no job":            {"document.submitted/full", `{"jobId":""}`, "jobId"},
		"no text":           {"document.submitted/full", `{"textKey":""}`, "textKey"},
		"no type":           {"document.submitted/full", `{"contentType":""}`, "contentType"},
		"no model":          {"document.submitted/full", `{"model":""}`, "model"},
		"negative bytes":    {"document.submitted/full", `{"bytes":-1}`, "bytes"},
		"empty document":    {"document.submitted/full", `{"bytes":0}`, ""},
		"negative tokens":   {"document.submitted/full", `{"chunking":{"maxTokens":-1}}`, "chunking"},
		"negative overlap":  {"document.submitted/full", `{"chunking":{"overlapTokens":-1}}`, "chunking"},
		"default chunking":  {"document.submitted/full", `{"chunking":{"maxTokens":0,"overlapTokens":0}}`, ""},
		"slice":             {"document.chunked/full", `{}`, ""},
		"no parts":          {"document.chunked/full", `{"parts":[]}`, "parts"},
		"negative index":    {"document.chunked/full", `{"parts":[{"index":-1}]}`, "parts[0]"},
		"negative start":    {"document.chunked/full", `{"parts":[{"index":1},{"start":-1}]}`, "parts[1]"},
		"negative slice":    {"document.chunked/full", `{"slice":-1}`, "slice"},
		"no slices":         {"document.chunked/full", `{"slice":0,"slices":0}`, "slice"},
		"slice of no model": {"document.chunked/full", `{"model":""}`, "model"},
		"no dimensions":     {"chunks.embedded/full", `{"dimensions":0,"vectors":""}`, "vectors"},
		"vectors":           {"chunks.embedded/full", `{}`, ""},
		"vectors no model":  {"chunks.embedded/full", `{"model":""}`, "model"},
		"vectors no parts":  {"chunks.embedded/full", `{"parts":[],"vectors":""}`, "parts"},
		"vectors no slices": {"chunks.embedded/full", `{"slice":0,"slices":0,"chunks":0}`, "slice"},
		"indexed":           {"document.indexed/full", `{"chunks":0}`, ""},
		"negative chunks":   {"document.indexed/full", `{"chunks":-1}`, "chunks"},
		"indexed no model":  {"document.indexed/full", `{"model":""}`, "model"},
		"failed":            {"document.failed/full", `{"message":"","attempts":0}`, ""},
		"failed nowhere":    {"document.failed/full", `{"stage":""}`, "stage"},
		"failed codeless":   {"document.failed/full", `{"code":""}`, "stage"},
		"negative attempts": {"document.failed/full", `{"attempts":-1}`, "attempts"},
		"import":            {"import.started/minimal", `{"entries":7}`, ""},
		"import of nothing": {"import.started/minimal", `{"importId":""}`, "importId"},
		"import of nowhere": {"import.started/minimal", `{"origin":"ftp"}`, "origin"},
		"negative import":   {"import.started/minimal", `{"entries":-1}`, "entries"},
		"completed nothing": {"import.completed/full", `{"importId":""}`, "importId"},
		"completed not":     {"import.completed/full", `{"state":"running"}`, "state"},
		"completed below 0": {"import.completed/full", `{"refused":-1}`, "total"},
		"speech":            {"speech.requested/full", `{}`, ""},
		"speech of no take": {"speech.requested/full", `{"take":""}`, "take"},
		"speech no model":   {"speech.requested/full", `{"model":""}`, "model"},
		"speech no voice":   {"speech.synthesized/full", `{"voice":""}`, "voice"},
		"speech no format":  {"speech.failed/full", `{"format":""}`, "format"},
		"speech of nothing": {"speech.requested/full", `{"characters":0}`, "characters"},
		"speech no parts":   {"speech.requested/full", `{"parts":0}`, "parts"},
		"speech before":     {"speech.requested/full", `{"try":-1}`, "try"},
		"spoken for nobody": {"speech.synthesized/full", `{"jobs":[]}`, "jobs"},
		"spoken for no job": {"speech.synthesized/full", `{"jobs":["a",""]}`, "jobs"},
		"spoken nothing":    {"speech.synthesized/full", `{"bytes":0}`, "bytes"},
		"spoken too early":  {"speech.synthesized/full", `{"durationMs":-1}`, "durationMs"},
		"spoken for free":   {"speech.synthesized/full", `{"costNanos":-1}`, "costNanos"},
		"unspoken":          {"speech.failed/full", `{"message":""}`, ""},
		"unspoken nobody":   {"speech.failed/full", `{"jobs":[]}`, "jobs"},
		"unspoken codeless": {"speech.failed/full", `{"code":""}`, "code"},
		"no entries":        {"event.recorded/full", `{"entries":[]}`, "entries"},
		"entry of no id":    {"event.recorded/full", `{"entries":[{"id":""}]}`, "entries[0]"},
		"entry of no type":  {"event.recorded/full", `{"entries":[{"type":""}]}`, "entries[0]"},
		"entry negative":    {"event.recorded/full", `{"entries":[{"bytes":-1}]}`, "entries[0]"},
		"entry undigested":  {"event.recorded/full", `{"entries":[{"sha256":"x"}]}`, "entries[0]"},
	} {
		t.Run(name, func(t *testing.T) {
			fact := edited(t, c.sample, c.members)
			b, err := json.Marshal(fact)
			require.NoError(t, err)
			bySchema := compile(t, fact.Type()).Validate(instance(t, b))
			err = fact.Check()
			if c.field == "" {
				assert.NoError(t, err)
				assert.NoError(t, bySchema)
				return
			}
			require.Error(t, err)
			assert.Equal(t, "fact_invalid", fault.As(err).Code)
			assert.Equal(t, c.field, fault.As(err).Field)
			assert.Error(t, bySchema)
		})
	}
}

// What a schema cannot say.
func TestCheckKnowsMore(t *testing.T) {
	for name, c := range map[string]struct{ sample, members, field string }{
		"slice after the last":    {"document.chunked/full", `{"slice":2}`, "slice"},
		"more slices than chunks": {"document.chunked/full", `{"slices":19}`, "slice"},
		"end before start":        {"document.chunked/full", `{"parts":[{"start":5,"end":4}]}`, "parts[0]"},
		"vectors too short":       {"chunks.embedded/full", `{"vectors":"AAAAPw=="}`, "vectors"},
		"another origin":          {"import.started/minimal", `{"origin":"urls"}`, "origin"},
		"two origins":             {"import.started/minimal", `{"prefix":"a"}`, "origin"},
		"a count is missing":      {"import.completed/full", `{"total":21}`, "total"},
		"vectors too few":         {"chunks.embedded/full", `{"dimensions":2}`, "vectors"},
	} {
		err := edited(t, c.sample, c.members).Check()
		require.Error(t, err, name)
		assert.Equal(t, c.field, fault.As(err).Field, name)
	}
}
