package intake_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/producers/intake"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
)

// shelf is texts in a map.
type shelf map[string]string

func (s shelf) Put(_ context.Context, sc tenants.Scope, key string, text []byte, _ string) error {
	s[sc.Key(key)] = string(text)
	return nil
}

func (s shelf) Get(_ context.Context, sc tenants.Scope, key string) ([]byte, error) {
	return []byte(s[sc.Key(key)]), nil
}

func (s shelf) Delete(_ context.Context, sc tenants.Scope, keys ...string) error {
	for _, key := range keys {
		delete(s, sc.Key(key))
	}
	return nil
}

func (s shelf) List(context.Context, tenants.Scope, string, int) ([]string, error) { return nil, nil }

// clerk is a ledger that takes submissions, answers or fails as it is told.
type clerk struct {
	corpus.Ledger
	subs    []corpus.Submission
	receipt *corpus.Receipt
	err     error
	refuse  func(n int) error // by the number of submissions there were
}

func (c *clerk) SubmitAll(_ context.Context, _ tenants.Scope, subs []corpus.Submission) ([]corpus.Outcome, error) {
	c.subs = append(c.subs, subs...)
	if c.err != nil {
		return nil, c.err
	}
	if c.refuse != nil {
		if err := c.refuse(len(c.subs)); err != nil {
			return []corpus.Outcome{{Fault: fault.As(err)}}, nil
		}
	}
	outs := make([]corpus.Outcome, len(subs))
	for i, sub := range subs {
		outs[i].Receipt = corpus.Receipt{DocID: sub.DocID, JobID: sub.JobID, Generation: 1}
		if c.receipt != nil {
			outs[i].Receipt = *c.receipt
		}
	}
	return outs, nil
}

type office struct {
	*intake.Intake
	shelf shelf
	clerk *clerk
	scope tenants.Scope
}

func newOffice(t *testing.T) *office {
	s, err := tenants.Resume("acme")
	require.NoError(t, err)
	o := &office{shelf: shelf{}, clerk: &clerk{}, scope: s}
	n := 0
	o.Intake = intake.New(o.shelf, o.clerk, &intake.Options{NewID: func() string {
		n++
		return fmt.Sprintf("id-%d", n)
	}})
	return o
}

func draft() corpus.Draft {
	return corpus.Draft{
		DocID: "guide.md", Text: []byte("# Água\n"), ContentType: "text/markdown; charset=utf-8", Model: "@cf/baai/bge-m3",
		About: events.About{Title: "Guide", Metadata: map[string]any{"year": 2026.0, "tags": []any{"a"}, "draft": true}},
		Cause: events.Cause{ID: "request", IdempotencyKey: "k"},
	}
}

func TestSubmit(t *testing.T) {
	o := newOffice(t)
	d := draft()
	r, err := o.Submit(t.Context(), o.scope, d)
	require.NoError(t, err)
	assert.Equal(t, corpus.Receipt{DocID: "guide.md", JobID: "id-1", Generation: 1}, r)
	sub := o.clerk.subs[0]
	assert.Equal(t, corpus.TextKey("guide.md", r.JobID, sub.SHA256), sub.TextKey)
	assert.Equal(t, 8, sub.Bytes)
	assert.Equal(t, d.Cause, sub.Cause)
	assert.Equal(t, d.About, sub.About)
	assert.Equal(t, map[string]string{o.scope.Key(sub.TextKey): "# Água\n"}, map[string]string(o.shelf))

	_, err = o.Submit(t.Context(), o.scope, d)
	require.NoError(t, err)
	assert.Len(t, o.shelf, 2, "each submission has its own object, so one can be erased without the other")
	assert.Equal(t, sub.RequestHash, o.clerk.subs[1].RequestHash)
}

func TestTheRequestHashIsOfAllThatTheClientSaid(t *testing.T) {
	o := newOffice(t)
	seen := map[string]string{}
	for name, change := range map[string]func(*corpus.Draft){
		"as it is":     func(*corpus.Draft) {},
		"id":           func(d *corpus.Draft) { d.DocID = "other" },
		"no id":        func(d *corpus.Draft) { d.DocID = "" },
		"text":         func(d *corpus.Draft) { d.Text = []byte("other") },
		"content type": func(d *corpus.Draft) { d.ContentType = "text/plain" },
		"title":        func(d *corpus.Draft) { d.About.Title = "other" },
		"metadata":     func(d *corpus.Draft) { d.About.Metadata = map[string]any{"year": 2027.0} },
		"chunking":     func(d *corpus.Draft) { d.Chunking.MaxTokens = 100 },
	} {
		d := draft()
		change(&d)
		_, err := o.Submit(t.Context(), o.scope, d)
		require.NoError(t, err, name)
		hash := o.clerk.subs[len(o.clerk.subs)-1].RequestHash
		assert.Empty(t, seen[hash], name)
		seen[hash] = name
	}
	d := draft()
	d.DocID, d.Cause.ID = "", "another request"
	_, err := o.Submit(t.Context(), o.scope, d)
	require.NoError(t, err)
	assert.Equal(t, "no id", seen[o.clerk.subs[len(o.clerk.subs)-1].RequestHash], "an id that is made here is not the client's word")
}

func TestWhatStaysWhenTheLedgerDoesNotTakeIt(t *testing.T) {
	refused := fault.New(fault.Limited, "backlog_full", "later", nil)
	unknown := fault.Unavailablef(errors.New("reset"), "ledger_unreachable", "maybe")
	for _, c := range []struct {
		name    string
		docID   string
		err     error
		receipt *corpus.Receipt
		stays   int
	}{
		{"a new id, refused", "", refused, nil, 0},
		{"a new id, nobody knows", "", unknown, nil, 1},
		{"a new id, answered with an earlier document", "", nil, &corpus.Receipt{DocID: "earlier", JobID: "j", Generation: 1, Replayed: true}, 0},
		{"the client's id, refused", "guide", refused, nil, 0},
		{"the client's id, answered with an earlier job", "guide", nil, &corpus.Receipt{DocID: "guide", JobID: "j", Generation: 1, Replayed: true}, 0},
		{"unchanged", "guide", nil, &corpus.Receipt{DocID: "guide", JobID: "id-1", Generation: 1, Unchanged: true}, 0},
		{"the client's id, nobody knows", "guide", unknown, nil, 1},
		{"taken", "", nil, nil, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := newOffice(t)
			o.clerk.err, o.clerk.receipt = c.err, c.receipt
			d := draft()
			d.DocID = c.docID
			r, err := o.Submit(t.Context(), o.scope, d)
			assert.ErrorIs(t, err, c.err)
			if c.receipt != nil {
				assert.Equal(t, *c.receipt, r)
			}
			assert.Len(t, o.shelf, c.stays)
		})
	}
}

// A text that an erasure takes before the ledger sees its submission is stored again, for another job.
func TestATextThatWasErasedOnItsWayIsStoredAgain(t *testing.T) {
	o := newOffice(t)
	o.clerk.refuse = func(n int) error {
		if n < 3 {
			return fault.New(fault.Conflict, "text_erased", "the document was erased while it was submitted", nil)
		}
		return nil
	}
	r, err := o.Submit(t.Context(), o.scope, draft())
	require.NoError(t, err)
	require.Len(t, o.clerk.subs, 3)
	assert.Equal(t, o.clerk.subs[2].JobID, r.JobID)
	assert.Len(t, o.shelf, 1)
	assert.Contains(t, o.shelf, o.scope.Key(o.clerk.subs[2].TextKey))

	o.clerk.refuse = func(int) error { return fault.New(fault.Conflict, "text_erased", "", nil) }
	_, err = o.Submit(t.Context(), o.scope, draft())
	assert.Equal(t, "text_erased", fault.As(err).Code, "not for ever")
}

func TestMistakesAreNamed(t *testing.T) {
	meta := func(k string, v any) func(*corpus.Draft) {
		return func(d *corpus.Draft) { d.About.Metadata = map[string]any{k: v} }
	}
	for name, c := range map[string]struct {
		change      func(*corpus.Draft)
		field, code string
	}{
		"id with a space":       {func(d *corpus.Draft) { d.DocID = "a b" }, "docId", "doc_id_invalid"},
		"id with a slash first": {func(d *corpus.Draft) { d.DocID = "/a" }, "docId", "doc_id_invalid"},
		"long id":               {func(d *corpus.Draft) { d.DocID = strings.Repeat("a", 257) }, "docId", "doc_id_invalid"},
		"no text":               {func(d *corpus.Draft) { d.Text = nil }, "text", "document_empty"},
		"too much text":         {func(d *corpus.Draft) { d.MaxBytes = 7 }, "text", "document_too_large"},
		"text in Latin-1":       {func(d *corpus.Draft) { d.Text = []byte("caf\xe9") }, "text", "text_not_utf8"},
		"content type":          {func(d *corpus.Draft) { d.ContentType = "image/png" }, "contentType", "content_type_unsupported"},
		"long title":            {func(d *corpus.Draft) { d.About.Title = strings.Repeat("ü", 501) }, "title", "title_too_long"},
		"long source":           {func(d *corpus.Draft) { d.About.Source = strings.Repeat("x", 501) }, "source", "source_too_long"},
		"long url":              {func(d *corpus.Draft) { d.About.URL = strings.Repeat("x", 2049) }, "url", "url_too_long"},
		"key with a dot":        {meta("a.b", "x"), "metadata", "metadata_key_invalid"},
		"key with a dollar":     {meta("$a", "x"), "metadata", "metadata_key_invalid"},
		"no key":                {meta("", "x"), "metadata", "metadata_key_invalid"},
		"nested":                {meta("a", map[string]any{"b": 1.0}), "metadata.a", "metadata_value_invalid"},
		"null":                  {meta("a", nil), "metadata.a", "metadata_value_invalid"},
		"list of numbers":       {meta("a", []any{1.0}), "metadata.a", "metadata_value_invalid"},
		"not a number":          {meta("a", math.NaN()), "metadata.a", "metadata_value_invalid"},
		"large metadata":        {meta("a", strings.Repeat("x", 4096)), "metadata", "metadata_too_large"},
		"unknown model":         {func(d *corpus.Draft) { d.Model = "no/model" }, "models.embedding", "model_unknown"},
		"small chunks":          {func(d *corpus.Draft) { d.Chunking.MaxTokens = 15 }, "chunking.maxTokens", "chunking_invalid"},
		"large chunks":          {func(d *corpus.Draft) { d.Chunking.MaxTokens = 513 }, "chunking.maxTokens", "chunking_invalid"},
		"too much overlap":      {func(d *corpus.Draft) { d.Chunking = events.Chunking{MaxTokens: 100, OverlapTokens: 51} }, "chunking.overlapTokens", "chunking_invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			d := draft()
			c.change(&d)
			_, err := o.Submit(t.Context(), o.scope, d)
			f := fault.As(err)
			assert.Equal(t, fault.Invalid, f.Kind, "%v", err)
			assert.Equal(t, c.code, f.Code)
			assert.Equal(t, c.field, f.Field)
			assert.Empty(t, o.shelf, "nothing is stored")
			assert.Empty(t, o.clerk.subs)
		})
	}
	o := newOffice(t)
	_, err := o.Submit(t.Context(), tenants.Scope{}, draft())
	assert.ErrorIs(t, err, tenants.ErrNoScope)
}

func TestIDsAreOrderedByTime(t *testing.T) {
	o := newOffice(t)
	in := intake.New(o.shelf, o.clerk, nil)
	last := ""
	for range 50 {
		r, err := in.Submit(t.Context(), o.scope, draft())
		require.NoError(t, err)
		assert.Greater(t, r.JobID, last)
		last = r.JobID
	}
}
