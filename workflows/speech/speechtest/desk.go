package speechtest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/job"
	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/audio"
)

// Studio is what the suite tests: where orders are taken, and where they are made.
type Studio interface {
	speech.Desk
	speech.Booth
	speech.Closer
}

// TestDesk checks the promises of speech.Desk, speech.Booth and speech.Closer. Each open returns those of tenants acme and globex, which may hold jobs of earlier runs,
// none of which is being made.
func TestDesk(t *testing.T, open func(t *testing.T) Studio) {
	for name, test := range map[string]func(*testing.T, floor){
		"a job is opened, made, and has its sound":       made,
		"equal orders are one take":                      shared,
		"what is there is had at once":                   had,
		"what is only to be shared begins nothing":       unshared,
		"a key opens one job":                            keys,
		"an id opens one job":                            ids,
		"whoever claimed it last makes it":               claims,
		"parts are noted once":                           parts,
		"parts go with those that are there":             differs,
		"a take that failed is made anew from its parts": anew,
		"other cuts go on with nothing":                  recut,
		"a job is cancelled for its own caller":          cancels,
		"what is cancelled is not gone on with":          afresh,
		"who speaks directly is not disturbed":           direct,
		"what a listener gives up goes on in the queue":  releases,
		"who listens leaves it to whoever makes it":      takesOver,
		"who has a dead message ends what waits for it":  forsaken,
		"so many are made at a time":                     window,
		"a list has pages, newest first":                 pages,
		"the longest text comes whole":                   longest,
		"what is no order is refused":                    refused,
		"jobs and takes are the tenant's":                own,
		"nobody's call is refused":                       nobody,
	} {
		t.Run(name, func(t *testing.T) {
			x := floor{T: t, studio: open(t), words: tenantstest.Fresh(t, "Water flows. ")}
			x.acme, x.globex = tenantstest.Two(t)
			test(t, x)
		})
	}
}

type floor struct {
	*testing.T
	studio       Studio
	words        string // that nobody has ordered before
	acme, globex tenants.Scope
}

// opening is an order of so many parts, each a sentence, under a new id.
func (x floor) opening(n int) speech.Opening {
	x.Helper()
	o := speech.Opening{
		ID:    tenantstest.Fresh(x, ""),
		Order: speech.Order{Model: "@cf/deepgram/aura-2-en", Voice: "luna", Format: audio.WAV, Speed: 100},
		Keep:  time.Hour, Cause: events.Cause{ID: "request", TraceParent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
	}
	for i := range n {
		s := fmt.Sprintf("%s água %d.", x.words, i)
		from := len(o.Order.Text)
		o.Order.Text += s
		o.Cuts = append(o.Cuts, speech.Cut{From: from, To: from + len(s), At: i * len([]rune(s)), Chars: len([]rune(s)), Chapter: fmt.Sprintf("Ch. %d", i)})
	}
	return o
}

// open opens a job, which is cancelled when the test ends: nothing is left to be made.
func (x floor) open(s tenants.Scope, o speech.Opening) speech.Opened {
	x.Helper()
	out, err := x.studio.Open(x.Context(), s, o)
	require.NoError(x, err)
	x.Cleanup(func() {
		_, err := x.studio.Cancel(context.WithoutCancel(x.Context()), s, out.Job.ID)
		assert.NoError(x, err)
	})
	return out
}

func (x floor) job(s tenants.Scope, id string) speech.Job {
	x.Helper()
	j, err := x.studio.Job(x.Context(), s, id)
	require.NoError(x, err)
	return j
}

func (x floor) claim(s tenants.Scope, take string) speech.Claim {
	x.Helper()
	c, err := x.studio.Claim(x.Context(), s, take)
	require.NoError(x, err)
	return c
}

// part is a tape with one part of a claimed take.
func part(c speech.Claim, i int) speech.Tape {
	return speech.Tape{
		Model: c.Order.Model, Voice: c.Order.Voice, Format: c.Order.Format, Rate: 24_000, Channels: 1, Reel: c.Tape.Reel,
		Parts: []speech.Part{{Index: i, Name: fmt.Sprintf("part%d", i), Bytes: 100 + 2*int64(i), Duration: time.Second, Nanos: 7, Chars: c.Cuts[i].Chars}},
	}
}

func (x floor) add(s tenants.Scope, c speech.Claim, indexes ...int) {
	x.Helper()
	for _, i := range indexes {
		require.NoError(x, x.studio.Add(x.Context(), s, c.Ticket, part(c, i)))
	}
}

// make makes a take.
func (x floor) make(s tenants.Scope, take string) {
	x.Helper()
	c := x.claim(s, take)
	x.add(s, c, c.Missing()...)
	require.NoError(x, x.studio.End(x.Context(), s, c.Ticket, nil))
}

func (x floor) over(err error, what string) {
	x.Helper()
	f := fault.As(err)
	assert.Equal(x, []any{fault.Conflict, speech.CodeOver}, []any{f.Kind, f.Code}, "%s: %v", what, err)
}

func (x floor) code(err error, kind fault.Kind, code string) {
	x.Helper()
	f := fault.As(err)
	assert.Equal(x, []any{kind, code}, []any{f.Kind, f.Code}, "%v", err)
}

func made(t *testing.T, x floor) {
	o := x.opening(3)
	out := x.open(x.acme, o)
	assert.Nil(t, out.Claim)
	assert.False(t, out.Again)
	j := out.Job
	assert.Equal(t, []any{o.ID, o.Order.Digest() + "-1", job.Queued, false}, []any{j.ID, j.Take, j.State, j.Shared})
	assert.Equal(t, []any{o.Order.Model, o.Order.Voice, "wav", 100, o.Order.Chars()}, []any{j.Model, j.Voice, j.Format, j.Speed, j.Characters})
	assert.WithinDuration(t, time.Now(), j.CreatedAt, time.Minute)
	assert.Equal(t, o.Cuts, j.Cuts)
	assert.Equal(t, j, x.job(x.acme, o.ID), "as it was answered")

	c := x.claim(x.acme, j.Take)
	assert.Equal(t, speech.Claim{
		Ticket: speech.Ticket{Take: j.Take, Claim: 1}, Order: o.Order, Cuts: o.Cuts, Cause: o.Cause, Tape: speech.Tape{Reel: j.Take, Cuts: 3},
	}, c)
	assert.Equal(t, job.Running, x.job(x.acme, o.ID).State)
	x.add(x.acme, c, 2, 0)
	j = x.job(x.acme, o.ID)
	assert.Equal(t, o.Cuts[0].Chars+o.Cuts[2].Chars, j.Spoken)
	assert.Equal(t, speech.Cost{Characters: j.Spoken, Nanos: 14}, j.Cost)
	assert.Equal(t, append(part(c, 0).Parts, part(c, 2).Parts...), j.Tape.Parts, "in their order")
	assert.False(t, j.Tape.Whole())
	x.code(x.studio.End(t.Context(), x.acme, c.Ticket, nil), fault.Conflict, "tape_incomplete")
	x.add(x.acme, c, 1)
	for range 2 { // to end twice is to end
		require.NoError(t, x.studio.End(t.Context(), x.acme, c.Ticket, nil))
	}
	j = x.job(x.acme, o.ID)
	assert.Equal(t, []any{job.Succeeded, j.Characters, false}, []any{j.State, j.Spoken, j.Expired})
	assert.True(t, j.Tape.Whole())
	assert.Equal(t, []any{o.Order.Model, o.Order.Voice, audio.WAV, 24_000, 1, j.Take, 3}, []any{j.Tape.Model, j.Tape.Voice, j.Tape.Format, j.Tape.Rate, j.Tape.Channels, j.Tape.Reel, j.Tape.Cuts})
	assert.WithinDuration(t, j.UpdatedAt.Add(o.Keep), j.ExpiresAt, time.Second)
	assert.Equal(t, o.Cuts, j.Cuts, "chapters are told from them")
	x.over(x.studio.Add(t.Context(), x.acme, c.Ticket, part(c, 1)), "it has ended")
	x.over(x.studio.End(t.Context(), x.acme, c.Ticket, &job.Problem{Code: "c"}), "it has ended well")
	_, err := x.studio.Claim(t.Context(), x.acme, j.Take)
	x.over(err, "nothing is to be made")
}

func shared(t *testing.T, x floor) {
	first, second := x.opening(1), x.opening(1)
	take := x.open(x.acme, first).Job.Take
	c := x.claim(x.acme, take)
	out := x.open(x.acme, second)
	assert.Equal(t, []any{take, true, job.Running}, []any{out.Job.Take, out.Job.Shared, out.Job.State})
	theirs := x.open(x.globex, x.opening(1))
	assert.Equal(t, []any{false, job.Queued}, []any{theirs.Job.Shared, theirs.Job.State}, "another tenant's order is not theirs")
	other := x.opening(1)
	other.Order.Speed = 101
	assert.NotEqual(t, take, x.open(x.acme, other).Job.Take, "another order")
	x.add(x.acme, c, 0)
	require.NoError(t, x.studio.End(t.Context(), x.acme, c.Ticket, nil))
	a, b := x.job(x.acme, first.ID), x.job(x.acme, second.ID)
	assert.Equal(t, []job.State{job.Succeeded, job.Succeeded}, []job.State{a.State, b.State})
	assert.Equal(t, a.Tape, b.Tape)
	assert.Equal(t, job.Queued, x.job(x.globex, theirs.Job.ID).State)
}

func had(t *testing.T, x floor) {
	x.make(x.acme, x.open(x.acme, x.opening(2)).Job.Take)
	for range 2 {
		o := x.opening(2)
		o.Direct = true
		out := x.open(x.acme, o)
		assert.Equal(t, []any{job.Succeeded, true}, []any{out.Job.State, out.Job.Shared})
		assert.True(t, out.Job.Tape.Whole())
		assert.False(t, out.Job.UpdatedAt.Before(out.Job.CreatedAt))
		assert.Nil(t, out.Claim)
	}
	assert.Equal(t, job.Queued, x.open(x.globex, x.opening(2)).Job.State)
}

func keys(t *testing.T, x floor) {
	key := tenantstest.Fresh(t, "key/")
	under := func(hash string) speech.Opening {
		o := x.opening(1)
		o.Key, o.Hash = key, hash
		return o
	}
	first := under("h1")
	x.open(x.acme, first)
	for range 2 {
		out := x.open(x.acme, under("h1"))
		assert.Equal(t, []any{first.ID, true}, []any{out.Job.ID, out.Again})
	}
	_, err := x.studio.Open(t.Context(), x.acme, under("h2"))
	x.code(err, fault.Conflict, "idempotency_conflict")
	assert.False(t, x.open(x.globex, under("h2")).Again, "keys are the tenant's")
	_, err = x.studio.Cancel(t.Context(), x.acme, first.ID)
	require.NoError(t, err)
	assert.Equal(t, job.Cancelled, x.open(x.acme, under("h1")).Job.State, "whatever became of it")
}

func ids(t *testing.T, x floor) {
	o := x.opening(1)
	x.open(x.acme, o)
	out := x.open(x.acme, o)
	assert.Equal(t, []any{o.ID, true}, []any{out.Job.ID, out.Again})
	o.Order.Speed = 150
	_, err := x.studio.Open(t.Context(), x.acme, o)
	x.code(err, fault.Conflict, "idempotency_conflict")
	assert.False(t, x.open(x.globex, o).Again)
}

func claims(t *testing.T, x floor) {
	take := x.open(x.acme, x.opening(2)).Job.Take
	first := x.claim(x.acme, take)
	x.add(x.acme, first, 1)
	second := x.claim(x.acme, take)
	assert.Equal(t, []int{0}, second.Missing(), "what was spoken is not spoken again")
	assert.Greater(t, second.Ticket.Claim, first.Ticket.Claim)
	x.over(x.studio.Add(t.Context(), x.acme, first.Ticket, part(first, 0)), "somebody else goes on")
	x.over(x.studio.End(t.Context(), x.acme, first.Ticket, &job.Problem{Code: "c"}), "somebody else goes on")
	for _, k := range []speech.Ticket{{}, {Take: take}, {Take: take, Claim: 99}, {Take: "x-1", Claim: 1}, {Take: take + "0", Claim: 1}} {
		x.over(x.studio.Add(t.Context(), x.acme, k, part(second, 0)), fmt.Sprint(k))
		x.over(x.studio.End(t.Context(), x.acme, k, nil), fmt.Sprint(k))
	}
	for _, unknown := range []string{"", "x", "x-1", "-1", take + "-1", strings.TrimSuffix(take, "1") + "01"} {
		_, err := x.studio.Claim(t.Context(), x.acme, unknown)
		x.over(err, unknown)
	}
	x.add(x.acme, second, 0)
	require.NoError(t, x.studio.End(t.Context(), x.acme, second.Ticket, nil))
	x.over(x.studio.End(t.Context(), x.acme, first.Ticket, nil), "the first did not end it")
}

func parts(t *testing.T, x floor) {
	o := x.opening(2)
	take := x.open(x.acme, o).Job.Take
	c := x.claim(x.acme, take)
	x.add(x.acme, c, 0)
	other := part(c, 0)
	other.Parts[0].Name, other.Parts[0].Nanos = "spoken again", 900
	require.NoError(t, x.studio.Add(t.Context(), x.acme, c.Ticket, other))
	other.Model, other.Voice, other.Rate, other.Reel = "@cf/myshell-ai/melotts", "en", 16_000, "other-1"
	require.NoError(t, x.studio.Add(t.Context(), x.acme, c.Ticket, other), "nor does it matter who spoke it again")
	j := x.job(x.acme, o.ID)
	assert.Equal(t, part(c, 0).Parts, j.Tape.Parts, "what is there stays")
	assert.EqualValues(t, 7, j.Cost.Nanos)
	for _, p := range []speech.Part{
		{Index: -1, Name: "a", Bytes: 1}, {Index: 2, Name: "a", Bytes: 1}, {Index: 1, Bytes: 1}, {Index: 1, Name: "a"},
		{Index: 1, Name: "a", Bytes: 1, Duration: -1}, {Index: 1, Name: "a", Bytes: 1, Nanos: -1},
	} {
		bad := part(c, 1)
		bad.Parts = append(bad.Parts, p)
		assert.Equal(t, fault.Invalid, fault.KindOf(x.studio.Add(t.Context(), x.acme, c.Ticket, bad)), "%+v", p)
	}
	assert.Len(t, x.job(x.acme, o.ID).Tape.Parts, 1, "all or nothing")
}

func differs(t *testing.T, x floor) {
	c := x.claim(x.acme, x.open(x.acme, x.opening(3)).Job.Take)
	first := part(c, 1)
	first.Model, first.Voice = "@cf/myshell-ai/melotts", "en" // the fallback, say
	require.NoError(t, x.studio.Add(t.Context(), x.acme, c.Ticket, first))
	for name, change := range map[string]func(*speech.Tape){
		"model": func(p *speech.Tape) { p.Model = c.Order.Model }, "voice": func(p *speech.Tape) { p.Voice = "es" }, "format": func(p *speech.Tape) { p.Format = audio.MP3 },
		"rate": func(p *speech.Tape) { p.Rate = 16_000 }, "channels": func(p *speech.Tape) { p.Channels = 2 }, "reel": func(p *speech.Tape) { p.Reel = "other-1" },
	} {
		p := part(c, 2)
		p.Model, p.Voice = first.Model, first.Voice
		change(&p)
		x.code(x.studio.Add(t.Context(), x.acme, c.Ticket, p), fault.Conflict, "tape_differs")
		assert.Equal(t, []int{0, 2}, x.claim(x.acme, c.Take).Missing(), name)
		c.Ticket.Claim++
	}
	assert.Equal(t, fault.Invalid, fault.KindOf(x.studio.Add(t.Context(), x.acme, c.Ticket, speech.Tape{Parts: part(c, 0).Parts})))
}

func anew(t *testing.T, x floor) {
	first := x.opening(3)
	take := x.open(x.acme, first).Job.Take
	c := x.claim(x.acme, take)
	x.add(x.acme, c, 1, 2)
	for range 2 {
		require.NoError(t, x.studio.End(t.Context(), x.acme, c.Ticket, &job.Problem{Stage: "speak", Code: "budget_exhausted", Message: strings.Repeat("ä", 400)}))
	}
	j := x.job(x.acme, first.ID)
	require.NotNil(t, j.Error)
	assert.Equal(t, []any{job.Failed, "budget_exhausted", strings.Repeat("ä", 250)}, []any{j.State, j.Error.Code, j.Error.Message})
	assert.Zero(t, j.ExpiresAt)
	x.over(x.studio.End(t.Context(), x.acme, c.Ticket, nil), "it has failed")

	out := x.open(x.acme, x.opening(3))
	assert.Equal(t, []any{first.Order.Digest() + "-2", job.Queued, false}, []any{out.Job.Take, out.Job.State, out.Job.Shared})
	again := x.claim(x.acme, out.Job.Take)
	assert.Equal(t, []int{0}, again.Missing())
	assert.Equal(t, c.Tape.Reel, again.Tape.Reel, "where the parts are")
	assert.Equal(t, first.Order, again.Order)
	x.add(x.acme, again, 0)
	require.NoError(t, x.studio.End(t.Context(), x.acme, again.Ticket, nil))
	assert.Equal(t, speech.Cost{Characters: first.Cuts[0].Chars, Nanos: 7}, x.job(x.acme, out.Job.ID).Cost, "the rest was paid by the first")
	assert.Equal(t, job.Failed, x.job(x.acme, first.ID).State, "what has ended stays")
}

func recut(t *testing.T, x floor) {
	c := x.claim(x.acme, x.open(x.acme, x.opening(3)).Job.Take)
	x.add(x.acme, c, 0)
	require.NoError(t, x.studio.End(t.Context(), x.acme, c.Ticket, &job.Problem{Code: "c"}))
	o := x.opening(3)
	o.Cuts[1].To, o.Cuts = o.Cuts[2].To, o.Cuts[:2]
	again := x.claim(x.acme, x.open(x.acme, o).Job.Take)
	assert.Equal(t, []int{0, 1}, again.Missing())
	assert.Equal(t, again.Take, again.Tape.Reel)
}

func cancels(t *testing.T, x floor) {
	first, second := x.opening(2), x.opening(2)
	take := x.open(x.acme, first).Job.Take
	x.open(x.acme, second)
	c := x.claim(x.acme, take)
	for range 2 {
		j, err := x.studio.Cancel(t.Context(), x.acme, first.ID)
		require.NoError(t, err)
		assert.Equal(t, job.Cancelled, j.State)
		assert.Empty(t, j.Tape.Parts)
	}
	x.add(x.acme, c, 0)
	assert.Equal(t, job.Running, x.job(x.acme, second.ID).State, "it goes on for the other")
	_, err := x.studio.Cancel(t.Context(), x.acme, second.ID)
	require.NoError(t, err)
	x.over(x.studio.Add(t.Context(), x.acme, c.Ticket, part(c, 1)), "nobody waits for it")
	x.over(x.studio.End(t.Context(), x.acme, c.Ticket, nil), "nobody waits for it")
	_, err = x.studio.Claim(t.Context(), x.acme, take)
	x.over(err, "nobody waits for it")

	done := x.opening(1)
	done.Order.Speed = 120
	x.make(x.acme, x.open(x.acme, done).Job.Take)
	j, err := x.studio.Cancel(t.Context(), x.acme, done.ID)
	require.NoError(t, err)
	assert.Equal(t, job.Succeeded, j.State, "what has ended stays")
	for _, id := range []string{"", "no-such-job", first.ID + "x"} {
		_, err = x.studio.Cancel(t.Context(), x.acme, id)
		x.code(err, fault.NotFound, "job_not_found")
	}
}

func afresh(t *testing.T, x floor) {
	first := x.opening(2)
	c := x.claim(x.acme, x.open(x.acme, first).Job.Take)
	x.add(x.acme, c, 0)
	_, err := x.studio.Cancel(t.Context(), x.acme, first.ID)
	require.NoError(t, err)
	again := x.claim(x.acme, x.open(x.acme, x.opening(2)).Job.Take)
	assert.Equal(t, first.Order.Digest()+"-2", again.Take)
	assert.Equal(t, again.Take, again.Tape.Reel)
	assert.Equal(t, []int{0, 1}, again.Missing())
}

func window(t *testing.T, x floor) {
	var jobs []speech.Job
	for i := range speech.MaxMaking + 2 {
		o := x.opening(1)
		o.Order.Speed = 100 + i
		jobs = append(jobs, x.open(x.acme, o).Job)
	}
	waiting := jobs[speech.MaxMaking:]
	for _, j := range waiting {
		_, err := x.studio.Claim(t.Context(), x.acme, j.Take)
		x.over(err, "it is not its turn")
	}
	o := x.opening(1)
	o.Order.Speed, o.Direct = 200, true
	assert.NotNil(t, x.open(x.acme, o).Claim, "who speaks directly waits for nobody")
	_, err := x.studio.Claim(t.Context(), x.acme, waiting[0].Take)
	x.over(err, "and takes nobody's turn, but gives none either")
	x.make(x.acme, jobs[0].Take)
	x.claim(x.acme, waiting[0].Take)
	_, err = x.studio.Claim(t.Context(), x.acme, waiting[1].Take)
	x.over(err, "one for one")
	_, err = x.studio.Cancel(t.Context(), x.acme, jobs[2].ID)
	require.NoError(t, err)
	x.claim(x.acme, waiting[1].Take)
	x.claim(x.globex, x.open(x.globex, x.opening(1)).Job.Take)
}

func pages(t *testing.T, x floor) {
	var want []speech.Job
	for i := range 5 {
		o := x.opening(1)
		o.Order.Speed = 100 + i
		x.open(x.acme, o)
		x.open(x.globex, x.opening(1))
		j := x.job(x.acme, o.ID)
		if i == 3 {
			c := x.claim(x.acme, j.Take)
			x.add(x.acme, c, 0)
			j = x.job(x.acme, o.ID)
			assert.NotZero(t, j.Spoken)
		}
		j.Tape, j.Cuts = speech.Tape{}, nil
		want = append([]speech.Job{j}, want...)
	}
	var got []speech.Job
	cursor := ""
	for len(got) < len(want) {
		page, err := x.studio.Jobs(t.Context(), x.acme, cursor, 2)
		require.NoError(t, err)
		assert.LessOrEqual(t, len(page.Jobs), 2)
		got = append(got, page.Jobs...)
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	assert.Equal(t, want, got[:len(want)], "newer than those of earlier tests")
	for _, limit := range []int{0, -1, speech.MaxPage + 1} {
		_, err := x.studio.Jobs(t.Context(), x.acme, "", limit)
		assert.Equal(t, "limit", fault.As(err).Field)
	}
	for _, bad := range []string{"!", "_w", "a b"} {
		_, err := x.studio.Jobs(t.Context(), x.acme, bad, 1)
		x.code(err, fault.Invalid, "invalid_value")
	}
}

func longest(t *testing.T, x floor) {
	o := x.opening(1)
	o.Order.Text = string([]rune(x.words + strings.Repeat("𝄞", speech.MaxText))[:speech.MaxText])
	require.Greater(t, len(o.Order.Text), 790_000)
	o.Cuts = nil
	at := 0
	for i := range speech.MaxParts { // which are a hundred characters each
		n := len(string([]rune(o.Order.Text[at : at+min(400, len(o.Order.Text)-at)])[:1]))
		to := min(at+100*n, len(o.Order.Text))
		o.Cuts = append(o.Cuts, speech.Cut{From: at, To: to, At: i * 100, Chars: 100, Chapter: strings.Repeat("𝄞", 100)})
		at = to
	}
	out := x.open(x.acme, o)
	c := x.claim(x.acme, out.Job.Take)
	assert.True(t, o.Order.Text == c.Order.Text)
	assert.Equal(t, len(o.Cuts), len(c.Cuts))
	assert.Equal(t, o.Cuts[speech.MaxParts-1], c.Cuts[speech.MaxParts-1])
	x.add(x.acme, c, speech.MaxParts-1, 0)
	assert.Equal(t, speech.MaxParts-2, len(x.claim(x.acme, c.Take).Missing()))
	assert.Equal(t, o.Cuts[7], x.job(x.acme, o.ID).Cuts[7])
}

func refused(t *testing.T, x floor) {
	for name, change := range map[string]func(*speech.Opening){
		"no id":            func(o *speech.Opening) { o.ID = "" },
		"a long id":        func(o *speech.Opening) { o.ID = strings.Repeat("i", 65) },
		"an id with /":     func(o *speech.Opening) { o.ID = "a/b" },
		"no time":          func(o *speech.Opening) { o.Keep = 0 },
		"a long key":       func(o *speech.Opening) { o.Key, o.Hash = strings.Repeat("k", 1001), "h" },
		"a key, no hash":   func(o *speech.Opening) { o.Key = "k" },
		"no model":         func(o *speech.Opening) { o.Order.Model = "" },
		"no voice":         func(o *speech.Opening) { o.Order.Voice = "" },
		"no format":        func(o *speech.Opening) { o.Order.Format = "" },
		"no speed":         func(o *speech.Opening) { o.Order.Speed = 0 },
		"no cuts":          func(o *speech.Opening) { o.Cuts = nil },
		"no text":          func(o *speech.Opening) { o.Order.Text = "" },
		"a cut before it":  func(o *speech.Opening) { o.Cuts[0].From = -1 },
		"a cut behind it":  func(o *speech.Opening) { o.Cuts[1].To++ },
		"an empty cut":     func(o *speech.Opening) { o.Cuts[1].To = o.Cuts[1].From },
		"cuts that meet":   func(o *speech.Opening) { o.Cuts[1].From-- },
		"a cut of nothing": func(o *speech.Opening) { o.Cuts[1].Chars = 0 },
		"too long a text":  func(o *speech.Opening) { o.Order.Text = strings.Repeat("a", speech.MaxText+1) },
		"long headings": func(o *speech.Opening) {
			o.Cuts = nil
			o.Order.Text = strings.Repeat("a", speech.MaxParts)
			for i := range speech.MaxParts {
				o.Cuts = append(o.Cuts, speech.Cut{From: i, To: i + 1, Chars: 1, Chapter: strings.Repeat("h", 1000)})
			}
		},
		"too many cuts": func(o *speech.Opening) {
			o.Cuts = nil
			o.Order.Text = strings.Repeat("a", speech.MaxParts+1)
			for i := range speech.MaxParts + 1 {
				o.Cuts = append(o.Cuts, speech.Cut{From: i, To: i + 1, Chars: 1})
			}
		},
	} {
		o := x.opening(2)
		change(&o)
		_, err := x.studio.Open(t.Context(), x.acme, o)
		assert.Equal(t, fault.Invalid, fault.KindOf(err), name)
		_, err = x.studio.Job(t.Context(), x.acme, o.ID)
		x.code(err, fault.NotFound, "job_not_found")
	}
}

func own(t *testing.T, x floor) {
	o := x.opening(2)
	take := x.open(x.acme, o).Job.Take
	c := x.claim(x.acme, take)
	_, err := x.studio.Job(t.Context(), x.globex, o.ID)
	x.code(err, fault.NotFound, "job_not_found")
	_, err = x.studio.Cancel(t.Context(), x.globex, o.ID)
	x.code(err, fault.NotFound, "job_not_found")
	_, err = x.studio.Claim(t.Context(), x.globex, take)
	x.over(err, "another tenant's take is not there")
	x.over(x.studio.Add(t.Context(), x.globex, c.Ticket, part(c, 0)), "another tenant's take is not there")
	x.over(x.studio.End(t.Context(), x.globex, c.Ticket, &job.Problem{Code: "c"}), "another tenant's take is not there")
	theirs := x.open(x.globex, x.opening(2))
	assert.Equal(t, take, theirs.Job.Take, "an equal order has the same name")
	mine := x.claim(x.globex, take)
	x.add(x.globex, mine, 0, 1)
	require.NoError(t, x.studio.End(t.Context(), x.globex, mine.Ticket, nil))
	assert.Equal(t, job.Running, x.job(x.acme, o.ID).State, "and is another take")
	assert.Empty(t, x.job(x.acme, o.ID).Tape.Parts)
}

func nobody(t *testing.T, x floor) {
	ctx, s := t.Context(), tenants.Scope{}
	_, err := x.studio.Open(ctx, s, x.opening(1))
	assert.ErrorIs(t, err, tenants.ErrNoScope)
	_, err = x.studio.Job(ctx, s, "j")
	assert.ErrorIs(t, err, tenants.ErrNoScope)
	_, err = x.studio.Jobs(ctx, s, "", 1)
	assert.ErrorIs(t, err, tenants.ErrNoScope)
	_, err = x.studio.Cancel(ctx, s, "j")
	assert.ErrorIs(t, err, tenants.ErrNoScope)
	_, err = x.studio.Claim(ctx, s, "t")
	assert.ErrorIs(t, err, tenants.ErrNoScope)
	_, err = x.studio.ClaimDead(ctx, s, "t", 0)
	assert.ErrorIs(t, err, tenants.ErrNoScope)
	assert.ErrorIs(t, x.studio.Add(ctx, s, speech.Ticket{}, speech.Tape{}), tenants.ErrNoScope)
	assert.ErrorIs(t, x.studio.End(ctx, s, speech.Ticket{}, nil), tenants.ErrNoScope)
}
