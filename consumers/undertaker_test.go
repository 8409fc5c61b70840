package consumers_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/consumers"
	"levada.dev/events"
	"levada.dev/events/eventstest"
	"levada.dev/events/fault"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/job"
	"levada.dev/workflows/letters"
	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/audio"
)

// book is a ledger of one document, which fails when it is told so.
type book struct {
	corpus.Ledger
	doc  corpus.Document
	told []corpus.Progress
}

func (b *book) Documents(_ context.Context, _ tenants.Scope, ids []string) ([]corpus.Document, error) {
	if ids[0] != b.doc.ID {
		return nil, nil
	}
	return []corpus.Document{b.doc}, nil
}

func (b *book) Advance(_ context.Context, _ tenants.Scope, ps []corpus.Progress) ([]corpus.Verdict, error) {
	b.told = append(b.told, ps...)
	b.doc.State = corpus.Failed
	return make([]corpus.Verdict, len(ps)), nil
}

// box keeps letters by tenant and id, and fails so many times, before or after it has.
type box struct {
	kept  map[string]letters.Letter
	fails int
	after bool
}

func (b *box) Keep(_ context.Context, s tenants.Scope, ls []letters.Letter) error {
	b.fails--
	if b.fails >= 0 && !b.after {
		return errors.New("before")
	}
	for _, l := range ls {
		b.kept[string(s.Tenant())+"/"+l.ID] = l
	}
	if b.fails >= 0 {
		return errors.New("after")
	}
	return nil
}

// dead is the event that a document was cut, with or without its data.
func dead(t *testing.T, s tenants.Scope, data bool) consumers.Deceased {
	t.Helper()
	ev, err := events.New(s, "test", events.Cause{ID: "cause"}, time.Unix(1_800_000_000, 0), events.DocumentChunked{
		DocumentRef: events.DocumentRef{DocID: "guide", Generation: 3, JobID: "j"}, Slice: events.Slice{Slices: 1, Chunks: 1}, Model: "m",
		Parts: []events.Chunk{{End: 1, Text: "x"}},
	})
	require.NoError(t, err)
	if !data {
		ev.Data = nil
	}
	return consumers.Deceased{Event: ev, Letter: letters.Letter{
		ID: letters.NewID("embed", "m1"), Queue: "embed", Tenant: s.Tenant(), Stage: "embed", Code: "claim_not_found", At: time.Unix(1_800_000_000, 0), Attempts: 4,
	}}
}

// TestALetterNamesTheGeneration: a burial that is repeated, wherever the first one died, leaves one letter, which says the same.
func TestALetterNamesTheGeneration(t *testing.T) {
	for name, c := range map[string]struct {
		data       bool
		state      corpus.State
		generation int
		told       int // times that the ledger is told, in one burial
		none       bool
	}{
		"the event says it": {true, corpus.Chunked, 3, 1, false},
		"the data is lost, and the newest is on its way":   {false, corpus.Submitted, 7, 1, false},
		"the data is lost, and the newest has failed":      {false, corpus.Failed, 7, 0, false},
		"the data is lost, and the newest is searchable":   {false, corpus.Indexed, 0, 0, false},
		"the data is lost, and the document is not wanted": {false, corpus.Deleted, 0, 0, true},
		"the data is lost, and the document was cancelled": {false, corpus.Cancelled, 0, 0, true},
	} {
		for _, after := range []bool{false, true} {
			for fails := range 3 {
				acme, globex := tenantstest.Two(t)
				l := &book{doc: corpus.Document{ID: "guide", State: c.state, Generation: 7, JobID: "j7"}}
				b := &box{kept: map[string]letters.Letter{}, fails: fails, after: after}
				u := consumers.NewUndertaker(l, corpus.Stores{}, b, nil)
				d := dead(t, acme, c.data)
				if c.none {
					require.NoError(t, u.Bury(t.Context(), acme, []consumers.Deceased{d})[0], name)
					require.Empty(t, b.kept, "%s: nobody waits for it", name)
					continue
				}
				for range fails {
					require.Error(t, u.Bury(t.Context(), acme, []consumers.Deceased{d})[0], name)
				}
				require.NoError(t, u.Bury(t.Context(), acme, []consumers.Deceased{d})[0], name)
				require.Len(t, b.kept, 1, name)
				kept := b.kept["acme/"+d.ID]
				assert.Equal(t, []any{"guide", c.generation, "embed"}, []any{kept.DocID, kept.Generation, kept.Stage}, "%s, %d failures", name, fails)
				if fails == 0 {
					assert.Len(t, l.told, c.told, name)
				}
				require.NoError(t, u.Bury(t.Context(), globex, []consumers.Deceased{dead(t, globex, true)})[0])
				assert.Len(t, b.kept, 2, "the other tenant's is another letter")
			}
		}
	}
}

// A document that the ledger does not know, and a subject that is none, leave a letter without a generation.
func TestALetterOfNoDocument(t *testing.T) {
	acme, _ := tenantstest.Two(t)
	b := &box{kept: map[string]letters.Letter{}}
	u := consumers.NewUndertaker(&book{}, corpus.Stores{}, b, nil)
	unknown := dead(t, acme, false)
	strange := dead(t, acme, false)
	strange.ID, strange.Event.Subject = "embed-2", "audit"
	plain := dead(t, acme, true)
	plain.ID, plain.Stage = "embed-3", ""
	for _, err := range u.Bury(t.Context(), acme, []consumers.Deceased{unknown, strange, plain}) {
		require.NoError(t, err)
	}
	require.Len(t, b.kept, 3)
	assert.Equal(t, "guide", b.kept["acme/"+unknown.ID].DocID)
	for _, l := range b.kept {
		assert.Zero(t, l.Generation)
	}
}

// spoken is a desk with a job of each of two tenants, and the dead event of the first's.
func spoken(t *testing.T) (desk *memory.Speech, acme, globex tenants.Scope, d consumers.Deceased) {
	t.Helper()
	acme, globex = tenantstest.Two(t)
	desk = memory.NewSpeech(time.Now)
	o := speech.Order{Text: "Water.", Model: speech.LocalModel, Voice: "slt", Format: audio.WAV, Speed: 100}
	for _, s := range []tenants.Scope{acme, globex} {
		_, err := desk.Open(t.Context(), s, speech.Opening{ID: "job", Order: o, Cuts: []speech.Cut{{To: 6, Chars: 6}}, Keep: time.Hour, Cause: events.Cause{ID: "r"}})
		require.NoError(t, err)
	}
	var out eventstest.Publisher
	_, err := desk.Relay(t.Context(), acme, &out)
	require.NoError(t, err)
	require.Len(t, out.Events(), 1)
	ev := out.Events()[0]
	return desk, acme, globex, consumers.Deceased{Event: ev, Letter: letters.Letter{
		ID: letters.NewID("speech", "m1"), Queue: "speech", Tenant: acme.Tenant(), Type: ev.Type, Code: "model_busy", Message: "it is busy", At: time.Now(), Attempts: 4,
	}}
}

// TestATakeFailsWithItsMessage: wherever a burial died, the next leaves one letter and a job that has failed.
func TestATakeFailsWithItsMessage(t *testing.T) {
	for _, op := range []string{"claimdead", "keep", "end"} {
		for _, after := range []bool{false, true} {
			desk, acme, globex, d := spoken(t)
			b := &box{kept: map[string]letters.Letter{}, after: after}
			failed := false
			fail := func(this string) error {
				if this != op || failed {
					return nil
				}
				failed = true
				return fault.Unavailablef(nil, "down", "it is down")
			}
			switch {
			case op == "keep":
				b.fails = 1
			case after:
				desk.After = fail
			default:
				desk.Before = fail
			}
			u := consumers.NewUndertaker(&book{}, corpus.Stores{}, b, nil).With(desk)
			require.Error(t, u.Bury(t.Context(), acme, []consumers.Deceased{d})[0], "%s after %v", op, after)
			for range 2 {
				require.NoError(t, u.Bury(t.Context(), acme, []consumers.Deceased{d})[0], "%s after %v", op, after)
			}
			j, err := desk.Job(t.Context(), acme, "job")
			require.NoError(t, err)
			assert.Equal(t, []any{job.Failed, "speak", "model_busy", "it is busy"}, []any{j.State, j.Error.Stage, j.Error.Code, j.Error.Message}, "%s after %v", op, after)
			assert.Len(t, b.kept, 1, "%s after %v", op, after)
			j, err = desk.Job(t.Context(), globex, "job")
			require.NoError(t, err)
			assert.Equal(t, job.Queued, j.State, "the other tenant's take has the same name")
		}
	}
}

// Nobody waits for a take that is over, so there is no letter; and one that is spoken for its caller is not taken away.
func TestATakeThatIsOver(t *testing.T) {
	desk, acme, _, d := spoken(t)
	_, err := desk.Cancel(t.Context(), acme, "job")
	require.NoError(t, err)
	b := &box{kept: map[string]letters.Letter{}}
	require.NoError(t, consumers.NewUndertaker(&book{}, corpus.Stores{}, b, nil).With(desk).Bury(t.Context(), acme, []consumers.Deceased{d})[0])
	assert.Empty(t, b.kept)

	desk, acme, _, d = spoken(t)
	o := speech.Order{Text: "Water.", Model: speech.LocalModel, Voice: "slt", Format: audio.WAV, Speed: 100}
	out, err := desk.Open(t.Context(), acme, speech.Opening{ID: "now", Order: o, Cuts: []speech.Cut{{To: 6, Chars: 6}}, Keep: time.Hour, Direct: true, Cause: events.Cause{ID: "r"}})
	require.NoError(t, err)
	require.NotNil(t, out.Claim)
	err = consumers.NewUndertaker(&book{}, corpus.Stores{}, b, nil).With(desk).Bury(t.Context(), acme, []consumers.Deceased{d})[0]
	assert.Equal(t, []any{true, speech.CodeBusy}, []any{fault.Retryable(err), fault.As(err).Code}, "it is buried later, if it is not over then")
	assert.Empty(t, b.kept)
}

// The letter of a message comes late, when the take was asked for again: the later message is its business.
func TestATakeThatWasAskedForAgain(t *testing.T) {
	desk, acme, globex, first := spoken(t)
	o := speech.Order{Text: "Water.", Model: speech.LocalModel, Voice: "slt", Format: audio.WAV, Speed: 100}
	out, err := desk.Open(t.Context(), acme, speech.Opening{ID: "now", Order: o, Cuts: []speech.Cut{{To: 6, Chars: 6}}, Keep: time.Hour, Direct: true, Cause: events.Cause{ID: "r"}})
	require.NoError(t, err)
	require.NotNil(t, out.Claim)
	require.NoError(t, desk.Release(t.Context(), acme, out.Claim.Ticket, &job.Problem{Code: "model_busy"}))
	maker, err := desk.Claim(t.Context(), acme, out.Claim.Take)
	require.NoError(t, err)

	b := &box{kept: map[string]letters.Letter{}}
	u := consumers.NewUndertaker(&book{}, corpus.Stores{}, b, nil).With(desk)
	for range 2 {
		require.NoError(t, u.Bury(t.Context(), acme, []consumers.Deceased{first})[0])
	}
	assert.Empty(t, b.kept)
	require.NoError(t, desk.Add(t.Context(), acme, maker.Ticket, speech.Tape{}), "whoever makes it goes on")

	var told eventstest.Publisher
	_, err = desk.Relay(t.Context(), acme, &told)
	require.NoError(t, err)
	later := first
	later.Event = told.Events()[0]
	require.NoError(t, u.Bury(t.Context(), acme, []consumers.Deceased{later})[0])
	assert.Len(t, b.kept, 1)
	for s, want := range map[tenants.Scope]job.State{acme: job.Failed, globex: job.Queued} {
		j, err := desk.Job(t.Context(), s, "job")
		require.NoError(t, err)
		assert.Equal(t, want, j.State)
	}
}
