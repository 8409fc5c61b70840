package batch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/infra/memory"
	"levada.dev/producers/batch"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/job"
)

// clerk opens imports, as imports.Ledger does.
type clerk struct {
	opened []imports.Import
	byKey  map[string]imports.Import
	err    error
	late   error // after it has opened
}

func (c *clerk) OpenImport(_ context.Context, s tenants.Scope, im imports.Import) (job.Job, error) {
	if c.err != nil {
		return job.Job{}, c.err
	}
	if key := im.Cause.IdempotencyKey; key != "" {
		first, known := c.byKey[s.Key(key)]
		if known && first.RequestHash != im.RequestHash {
			return job.Job{}, fault.New(fault.Conflict, "idempotency_conflict", "another request", nil)
		}
		if known {
			return job.Job{ID: first.ID}, nil
		}
		c.byKey[s.Key(key)] = im
	}
	c.opened = append(c.opened, im)
	return job.Job{ID: im.ID}, c.late
}

type door struct {
	*batch.Door
	t     *testing.T
	clerk *clerk
	parts *memory.Parts
	acme  tenants.Scope
}

func newDoor(t *testing.T) *door {
	d := &door{t: t, clerk: &clerk{byKey: map[string]imports.Import{}}, parts: &memory.Parts{}, acme: tenantstest.Scope(t, "acme")}
	n := 0
	d.Door = batch.New(d.parts, d.clerk, &batch.Options{NewID: func() string { n++; return fmt.Sprintf("id-%d", n) }})
	return d
}

// decode reads {"id":..., "text":...}.
func decode(line []byte) (corpus.Draft, error) {
	var in struct{ ID, Text string }
	if err := json.Unmarshal(line, &in); err != nil {
		return corpus.Draft{}, fault.New(fault.Invalid, "invalid_json", err.Error(), nil)
	}
	return corpus.Draft{DocID: in.ID, Text: []byte(in.Text), ContentType: "text/plain", Model: "@cf/baai/bge-m3"}, nil
}

func of(body string) imports.Batch {
	return imports.Batch{Body: strings.NewReader(body), MaxLine: 200, Decode: decode, Cause: events.Cause{ID: "request"}}
}

// entries are what the parts of an import hold: line, id and text of documents; line, code and field of what is none.
func (d *door) entries(im imports.Import) (all, refused []string) {
	d.t.Helper()
	for part := range im.Origin.Batch {
		raw, err := d.parts.Get(d.t.Context(), d.acme, im.ID, part, math.MaxInt64)
		require.NoError(d.t, err)
		for line := range bytes.Lines(raw) {
			var e imports.Entry
			require.NoError(d.t, json.Unmarshal(line, &e))
			if f := e.Refuse; f != nil {
				refused = append(refused, said(e.Line, f.Code, f.Field))
				continue
			}
			all = append(all, fmt.Sprintf("%d %s %s", e.Line, e.Draft.DocID, e.Draft.Text))
		}
	}
	return all, refused
}

// said is what is said of a refused line.
func said(line int, code, field string) string {
	if field != "" {
		field = " at " + field
	}
	return fmt.Sprintf("%d %s%s", line, code, field)
}

func TestLines(t *testing.T) {
	long := `{"id":"long","text":"` + strings.Repeat("x", 200_000) + `"}`
	for _, c := range []struct {
		name, body string
		entries    []string
		refused    []string
	}{
		{"one", `{"id":"a","text":"1"}` + "\n", []string{"1 a 1"}, nil},
		{"no last line feed", `{"id":"a","text":"1"}`, []string{"1 a 1"}, nil},
		{"an id is given where there is none", `{"text":"1"}`, []string{"1 id-2 1"}, nil},
		{"CRLF", "{\"id\":\"a\",\"text\":\"1\"}\r\n{\"id\":\"b\",\"text\":\"2\"}\r\n", []string{"1 a 1", "2 b 2"}, nil},
		{"blank lines count", "\n \t\r\n{\"id\":\"a\",\"text\":\"1\"}\n\n\n{\"id\":\"b\",\"text\":\"2\"}\n\n", []string{"3 a 1", "6 b 2"}, nil},
		{"a byte order mark", "\xef\xbb\xbf{\"id\":\"a\",\"text\":\"1\"}\n", []string{"1 a 1"}, nil},
		{"a byte order mark alone is blank", "\xef\xbb\xbf\n{\"id\":\"a\",\"text\":\"1\"}\n", []string{"2 a 1"}, nil},
		{"broken ones are named", "{\"id\":\"a\",\"text\":\"1\"}\n{\"id\":\n[]\n{\"id\":\"b\",\"text\":\"2\"}\n", []string{"1 a 1", "4 b 2"}, []string{"2 invalid_json", "3 invalid_json"}},
		{"so are those that are no document", "{\"id\":\"a b\",\"text\":\"1\"}\n{\"id\":\"b\",\"text\":\" \"}\n{\"id\":\"c\",\"text\":\"3\"}", []string{"3 c 3"}, []string{"1 doc_id_invalid at docId", "2 document_empty at text"}},
		{"one that is too long", "{\"id\":\"a\",\"text\":\"1\"}\n" + long + "\n{\"id\":\"b\",\"text\":\"2\"}\n", []string{"1 a 1", "3 b 2"}, []string{"2 line_too_long"}},
		{"the last is too long", "{\"id\":\"a\",\"text\":\"1\"}\n" + long, []string{"1 a 1"}, []string{"2 line_too_long"}},
		{"as long as may be", `{"id":"a","text":"` + strings.Repeat("x", 200-20) + "\"}\r\n{\"id\":\"b\",\"text\":\"" + strings.Repeat("x", 201-20) + "\"}\n", []string{"1 a " + strings.Repeat("x", 180)}, []string{"2 line_too_long"}},
	} {
		for _, reader := range []func(io.Reader) io.Reader{func(r io.Reader) io.Reader { return r }, iotest.OneByteReader, iotest.DataErrReader} {
			t.Run(c.name, func(t *testing.T) {
				d, b := newDoor(t), of(c.body)
				b.Body = reader(b.Body)
				r, err := d.Take(t.Context(), d.acme, b)
				require.NoError(t, err)
				require.Len(t, d.clerk.opened, 1)
				kept, refused := d.entries(d.clerk.opened[0])
				assert.Equal(t, [][]string{c.entries, c.refused}, [][]string{kept, refused})
				var named []string
				for _, p := range r.Problems {
					named = append(named, said(p.Line, p.Code, p.Field))
				}
				assert.Equal(t, c.refused, named)
				assert.Equal(t, []int{len(c.entries), len(c.refused)}, []int{r.Entries, r.Refused})
				assert.Equal(t, []int{r.Entries + r.Refused, 0}, []int{d.clerk.opened[0].Entries, d.clerk.opened[0].LeftOut})
			})
		}
	}
}

func TestNothingIsStarted(t *testing.T) {
	good := `{"id":"a","text":"` + strings.Repeat("x", 100) + "\"}\n"
	lost := errors.New("connection reset")
	for name, c := range map[string]struct {
		body io.Reader
		code string
	}{
		"nothing":               {strings.NewReader(""), "body_empty"},
		"blank lines":           {strings.NewReader("\n\n \n"), "body_empty"},
		"no good line":          {strings.NewReader("{\n[]\n"), "batch_refused"},
		"the client leaves":     {io.MultiReader(strings.NewReader(strings.Repeat(good, 20_000)), iotest.ErrReader(lost)), "body_incomplete"},
		"it leaves in a line":   {io.MultiReader(strings.NewReader(good+good[:20]), iotest.ErrReader(io.ErrUnexpectedEOF)), "body_incomplete"},
		"it leaves before any":  {iotest.ErrReader(lost), "body_incomplete"},
		"it leaves in too much": {io.MultiReader(strings.NewReader(strings.Repeat("x", 1000)), iotest.ErrReader(lost)), "body_incomplete"},
	} {
		t.Run(name, func(t *testing.T) {
			d, b := newDoor(t), of("")
			b.Body = c.body
			_, err := d.Take(t.Context(), d.acme, b)
			assert.Equal(t, []any{fault.Invalid, c.code}, []any{fault.KindOf(err), fault.As(err).Code})
			assert.Empty(t, d.clerk.opened)
			assert.Zero(t, d.parts.Len(d.acme), "parts are left")
		})
	}
	t.Run("nobody", func(t *testing.T) {
		d := newDoor(t)
		_, err := d.Take(t.Context(), tenants.Scope{}, of(good))
		assert.Error(t, err)
	})
}

func TestAllAreCountedAndTheFirstNamed(t *testing.T) {
	d := newDoor(t)
	r, err := d.Take(t.Context(), d.acme, of(strings.Repeat("[]\n", imports.MaxNamed+5)+`{"id":"a","text":"1"}`))
	require.NoError(t, err)
	assert.Len(t, r.Problems, imports.MaxNamed)
	assert.Equal(t, imports.MaxNamed+5, r.Refused)
	im := d.clerk.opened[0]
	assert.Equal(t, []int{imports.MaxNamed + 6, 0}, []int{im.Entries, im.LeftOut}, "all go on to the job")
}

func TestWhatIsRefusedBeyondAllMeasureIsCounted(t *testing.T) {
	d := newDoor(t)
	r, err := d.Take(t.Context(), d.acme, of(strings.Repeat("[]\n", imports.MaxKept+5)+`{"id":"a","text":"1"}`))
	require.NoError(t, err)
	assert.Equal(t, []int{1, imports.MaxKept + 5}, []int{r.Entries, r.Refused})
	im := d.clerk.opened[0]
	assert.Equal(t, []int{imports.MaxKept + 1, 5}, []int{im.Entries, im.LeftOut})
	assert.Equal(t, im.Origin.Batch, d.parts.Len(d.acme))
}

func TestTheSameBatchIsOneImport(t *testing.T) {
	d := newDoor(t)
	globex := tenantstest.Scope(t, "globex")
	body := strings.Repeat(`{"text":"x"}`+"\n", 3)
	keyed := func(body string) imports.Batch {
		b := of(body)
		b.Cause.IdempotencyKey = "k"
		return b
	}
	first, err := d.Take(t.Context(), d.acme, keyed(body))
	require.NoError(t, err)
	again, err := d.Take(t.Context(), d.acme, keyed(body))
	require.NoError(t, err)
	assert.Equal(t, first.Job.ID, again.Job.ID)
	assert.Equal(t, []bool{false, true}, []bool{first.Replayed, again.Replayed})
	assert.Equal(t, 1, d.parts.Len(d.acme), "the second's parts are gone")
	_, err = d.Take(t.Context(), d.acme, keyed(body+"\n"))
	assert.Equal(t, "idempotency_conflict", fault.As(err).Code)
	assert.Equal(t, 1, d.parts.Len(d.acme))
	other, err := d.Take(t.Context(), globex, keyed(body+"\n"))
	require.NoError(t, err)
	assert.False(t, other.Replayed)
	assert.Len(t, d.clerk.opened, 2)
}

func TestWhenTheLedgerDoesNotOpen(t *testing.T) {
	for _, c := range []struct {
		name  string
		err   error
		late  error
		parts int
	}{
		{"refused", fault.New(fault.Limited, "backlog_full", "later", nil), nil, 0},
		{"nobody knows", fault.Unavailablef(nil, "object_unavailable", "reset"), nil, 1},
		{"it has, and the answer was lost", nil, fault.Unavailablef(nil, "object_unavailable", "reset"), 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDoor(t)
			d.clerk.err, d.clerk.late = c.err, c.late
			_, err := d.Take(t.Context(), d.acme, of(`{"text":"x"}`))
			assert.Equal(t, fault.As(errors.Join(c.err, c.late)).Code, fault.As(err).Code)
			assert.Equal(t, c.parts, d.parts.Len(d.acme))
		})
	}
}

func TestTheStoreFails(t *testing.T) {
	for _, after := range []bool{false, true} {
		d := newDoor(t)
		lost := fault.Unavailablef(nil, "store_unavailable", "reset")
		fail := func(op string) error {
			if op == "put" {
				return lost
			}
			return nil
		}
		if after {
			d.parts.After = fail
		} else {
			d.parts.Before = fail
		}
		_, err := d.Take(t.Context(), d.acme, of(`{"text":"x"}`))
		assert.ErrorIs(t, err, lost)
		assert.Empty(t, d.clerk.opened)
	}
}

// However much comes, a line and a part of it are in memory.
func TestAStreamOfAnySize(t *testing.T) {
	const lines = 200_000
	line := []byte(`{"id":"a","text":"` + strings.Repeat("x", 180) + "\"}\n")
	parts, clerk := &shredder{before: live()}, &clerk{}
	b := of("")
	b.Body = &repeated{line: line, left: lines}
	r, err := batch.New(parts, clerk, nil).Take(t.Context(), tenantstest.Scope(t, "acme"), b)
	require.NoError(t, err)
	assert.Equal(t, lines, r.Entries)
	assert.Equal(t, lines/imports.MaxPartEntries, clerk.opened[0].Origin.Batch)
	assert.Greater(t, parts.bytes, lines*len(line)) // of a stream of 40 MB
	assert.Less(t, parts.most, 8<<20)
}

// A large line is in memory once, with room for the longest there may be: also while its document goes to the store.
func TestALargeLineIsInMemoryOnce(t *testing.T) {
	const most, bytes = 15_000_000, 14_000_000
	parts, b := &shredder{before: live()}, of(strings.Repeat("x", bytes))
	b.MaxLine = most
	b.Decode = func(line []byte) (corpus.Draft, error) {
		return corpus.Draft{DocID: "a", Text: line, ContentType: "text/plain", Model: "@cf/baai/bge-m3"}, nil
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := batch.New(parts, &clerk{}, nil).Take(t.Context(), tenantstest.Scope(t, "acme"), b)
	require.NoError(t, err)
	runtime.ReadMemStats(&after)
	assert.Greater(t, parts.bytes, bytes*4/3)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(most+bytes/2))
}

// shredder takes parts and keeps nothing but how much was in memory meanwhile.
type shredder struct {
	imports.Parts
	bytes, before, most int
}

func (s *shredder) Put(_ context.Context, _ tenants.Scope, _ string, part int, _ io.Reader, size int64) error {
	if s.bytes += int(size); part%40 == 0 {
		s.most = max(s.most, live()-s.before)
	}
	return nil
}

func live() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// repeated is a line so many times.
type repeated struct {
	line []byte
	at   int
	left int
}

func (r *repeated) Read(p []byte) (n int, err error) {
	for n < len(p) && r.left > 0 {
		k := copy(p[n:], r.line[r.at:])
		n += k
		if r.at += k; r.at == len(r.line) {
			r.at = 0
			r.left--
		}
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func TestOpen(t *testing.T) {
	d := newDoor(t)
	cause := events.Cause{ID: "request", IdempotencyKey: "k"}
	a, err := d.Open(t.Context(), d.acme, imports.Origin{URLs: []string{"https://a.example/", "file:///etc/passwd"}}, "docs", cause)
	require.NoError(t, err)
	assert.Equal(t, []any{"id-1", 1, 2, "url_invalid"}, []any{a.Job.ID, a.Refused, a.Problems[0].Line, a.Problems[0].Code})
	im := d.clerk.opened[0]
	assert.Equal(t, []any{"docs", 2, 0}, []any{im.Source, im.Entries, im.LeftOut})
	again, err := d.Open(t.Context(), d.acme, im.Origin, "docs", cause)
	require.NoError(t, err)
	assert.Equal(t, []any{"id-1", true}, []any{again.Job.ID, again.Replayed})
	_, err = d.Open(t.Context(), d.acme, im.Origin, "other", cause)
	assert.Equal(t, "idempotency_conflict", fault.As(err).Code)

	many := make([]string, imports.MaxURLs+1)
	long := make([]string, 400)
	for i := range long {
		long[i] = "https://a.example/" + strings.Repeat("x", 1500)
	}
	for name, c := range map[string]struct {
		origin imports.Origin
		code   string
	}{
		"nothing":             {imports.Origin{}, "field_required"},
		"two":                 {imports.Origin{Sitemap: "https://a.example/", Prefix: "a"}, "fields_exclusive"},
		"too many":            {imports.Origin{URLs: many}, "value_out_of_range"},
		"too much":            {imports.Origin{URLs: long}, "value_out_of_range"},
		"too much as JSON":    {imports.Origin{URLs: slices.Repeat([]string{"https://a.example/?" + strings.Repeat("&", 1000)}, 100)}, "value_out_of_range"},
		"none is one":         {imports.Origin{URLs: []string{"a", "https://u:p@a.example/", "https:///x", "https://a.example/" + strings.Repeat("x", 2100)}}, "batch_refused"},
		"a sitemap of a file": {imports.Origin{Sitemap: "file:///a"}, "url_invalid"},
		"a long prefix":       {imports.Origin{Prefix: strings.Repeat("x", 901)}, "value_out_of_range"},
	} {
		a, err := d.Open(t.Context(), d.acme, c.origin, "", events.Cause{ID: "r"})
		assert.Equal(t, c.code, fault.As(err).Code, name)
		if c.code == "batch_refused" {
			assert.Len(t, a.Problems, 4)
		}
	}
	assert.Len(t, d.clerk.opened, 1)
}
