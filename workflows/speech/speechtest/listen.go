package speechtest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/job"
	"levada.dev/workflows/speech"
)

func direct(t *testing.T, x floor) {
	o := x.opening(2)
	o.Direct = true
	out := x.open(x.acme, o)
	require.NotNil(t, out.Claim)
	assert.Equal(t, job.Running, out.Job.State)
	assert.Equal(t, []any{o.Order, o.Cuts, []int{0, 1}}, []any{out.Claim.Order, out.Claim.Cuts, out.Claim.Missing()})
	_, err := x.studio.Claim(t.Context(), x.acme, out.Job.Take)
	x.code(err, fault.Unavailable, speech.CodeBusy)
	assert.InDelta(t, speech.DirectLease, fault.As(err).RetryAfter, float64(10*time.Second))

	other := x.opening(2)
	other.Direct = true
	assert.Nil(t, x.open(x.acme, other).Claim, "it is somebody else's")
	lost := x.open(x.acme, o)
	require.NotNil(t, lost.Claim, "whose answer was lost asks again")
	x.over(x.studio.Add(t.Context(), x.acme, out.Claim.Ticket, part(*out.Claim, 0)), "the answer that was lost")
	x.add(x.acme, *lost.Claim, 0, 1)
	require.NoError(t, x.studio.End(t.Context(), x.acme, lost.Claim.Ticket, nil))
	assert.Equal(t, job.Succeeded, x.job(x.acme, other.ID).State)

	queued, now := x.opening(1), x.opening(1)
	now.Direct = true
	take := x.open(x.globex, queued).Job.Take
	joined := x.open(x.globex, now)
	require.NotNil(t, joined.Claim, "nobody has begun with it")
	assert.Equal(t, []any{take, true}, []any{joined.Claim.Take, joined.Job.Shared})
	_, err = x.studio.Claim(t.Context(), x.globex, take)
	x.code(err, fault.Unavailable, speech.CodeBusy)
}

func takesOver(t *testing.T, x floor) {
	for _, direct := range []bool{true, false} {
		o := x.opening(2)
		o.Direct = direct
		o.Order.Speed = map[bool]int{true: 100, false: 101}[direct]
		take := x.open(x.acme, o).Job.Take
		_, err := x.studio.TakeOver(t.Context(), x.acme, take, "listener")
		x.code(err, fault.Unavailable, speech.CodeBusy)
		_, err = x.studio.TakeOver(t.Context(), x.globex, take, "listener")
		x.over(err, "another tenant's")
		if direct {
			again, err := x.studio.TakeOver(t.Context(), x.acme, take, o.ID)
			require.NoError(t, err, "whose it is")
			assert.Equal(t, o.ID, again.Direct)
			require.NoError(t, x.studio.Add(t.Context(), x.acme, again.Ticket, speech.Tape{}), "news alone")
		}
		_, err = x.studio.TakeOver(t.Context(), x.acme, take, "")
		x.code(err, fault.Invalid, "job_invalid")
	}
}

func releases(t *testing.T, x floor) {
	busy := &job.Problem{Stage: "speak", Code: "model_busy", Message: "busy"}
	queued, now := x.opening(2), x.opening(2)
	now.Direct = true
	take := x.open(x.acme, queued).Job.Take
	c := x.open(x.acme, now).Claim
	require.NotNil(t, c)
	x.add(x.acme, *c, 0)
	x.code(x.studio.Release(t.Context(), x.acme, c.Ticket, nil), fault.Invalid, "job_invalid")
	x.over(x.studio.Release(t.Context(), x.globex, c.Ticket, busy), "another tenant's")
	require.NoError(t, x.studio.Release(t.Context(), x.acme, c.Ticket, busy))
	assert.Equal(t, []job.State{job.Running, job.Running}, []job.State{x.job(x.acme, queued.ID).State, x.job(x.acme, now.ID).State}, "somebody else waits")
	rest, err := x.studio.Claim(t.Context(), x.acme, take)
	require.NoError(t, err, "the queue's at once")
	assert.Equal(t, []int{1}, rest.Missing())
	x.over(x.studio.Release(t.Context(), x.acme, c.Ticket, busy), "it is not theirs any more")
	x.add(x.acme, rest, 1)
	require.NoError(t, x.studio.End(t.Context(), x.acme, rest.Ticket, nil))
	assert.Equal(t, []job.State{job.Succeeded, job.Succeeded}, []job.State{x.job(x.acme, queued.ID).State, x.job(x.acme, now.ID).State})

	alone := x.opening(1)
	alone.Direct = true
	c = x.open(x.globex, alone).Claim
	require.NotNil(t, c)
	for range 2 {
		require.NoError(t, x.studio.Release(t.Context(), x.globex, c.Ticket, busy))
	}
	j := x.job(x.globex, alone.ID)
	require.NotNil(t, j.Error, "nobody else waits")
	assert.Equal(t, []any{job.Failed, "model_busy"}, []any{j.State, j.Error.Code})
}

// forsaken: whoever has a dead message ends a take that was not asked for again since, and no other.
func forsaken(t *testing.T, x floor) {
	dead := &job.Problem{Stage: "speak", Code: "model_busy", Message: "busy"}
	queued, now := x.opening(2), x.opening(2)
	now.Direct = true
	take := x.open(x.acme, queued).Job.Take
	c := x.open(x.acme, now).Claim
	require.NotNil(t, c)
	_, err := x.studio.ClaimDead(t.Context(), x.acme, take, 0)
	x.code(err, fault.Unavailable, speech.CodeBusy)
	require.NoError(t, x.studio.Release(t.Context(), x.acme, c.Ticket, dead)) // which asks for it again
	rest := x.claim(x.acme, take)
	_, err = x.studio.ClaimDead(t.Context(), x.acme, take, 0)
	x.over(err, "the first message is not the last")
	x.add(x.acme, rest, 0)
	_, err = x.studio.ClaimDead(t.Context(), x.globex, take, 1)
	x.over(err, "another tenant's")
	for range 2 {
		k, err := x.studio.ClaimDead(t.Context(), x.acme, take, 1)
		require.NoError(t, err)
		x.over(x.studio.Add(t.Context(), x.acme, rest.Ticket, part(rest, 1)), "nobody makes it any more")
		rest.Ticket = k
	}
	require.NoError(t, x.studio.End(t.Context(), x.acme, rest.Ticket, dead))
	assert.Equal(t, []job.State{job.Failed, job.Failed}, []job.State{x.job(x.acme, queued.ID).State, x.job(x.acme, now.ID).State})
	_, err = x.studio.ClaimDead(t.Context(), x.acme, take, 1)
	x.over(err, "it has ended")
}

// unshared: who may not pay has what is there or on its way, and the job of a key, and begins nothing.
func unshared(t *testing.T, x floor) {
	key := tenantstest.Fresh(t, "key/")
	only := func() speech.Opening {
		o := x.opening(2)
		o.OnlyShared, o.Key, o.Hash = true, key, "h"
		return o
	}
	none := func() {
		t.Helper()
		o := only()
		_, err := x.studio.Open(t.Context(), x.acme, o)
		x.code(err, fault.Conflict, speech.CodeUnshared)
		_, err = x.studio.Job(t.Context(), x.acme, o.ID)
		x.code(err, fault.NotFound, "job_not_found")
	}
	none()
	theirs := x.open(x.globex, x.opening(2)).Job.Take
	none()
	first := x.opening(2)
	take := x.open(x.acme, first).Job.Take
	assert.Equal(t, theirs, take)
	out := x.open(x.acme, only())
	assert.Equal(t, []any{take, true, false}, []any{out.Job.Take, out.Job.Shared, out.Again}, "it is on its way")
	again := x.open(x.acme, only())
	assert.Equal(t, []any{out.Job.ID, true}, []any{again.Job.ID, again.Again})
	c := x.claim(x.acme, take)
	require.NoError(t, x.studio.End(t.Context(), x.acme, c.Ticket, &job.Problem{Code: "c"}))
	assert.True(t, x.open(x.acme, only()).Again, "whatever became of it")
	key = tenantstest.Fresh(t, "key/")
	none()
	x.make(x.acme, x.open(x.acme, x.opening(2)).Job.Take)
	out = x.open(x.acme, only())
	assert.Equal(t, []any{job.Succeeded, true}, []any{out.Job.State, out.Job.Shared}, "it is there")
}
