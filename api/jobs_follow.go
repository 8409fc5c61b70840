package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"time"

	"levada.dev/events/fault"
	"levada.dev/workflows/job"
)

// How long a job is told in one answer, and how often it is looked at. Each look is a call of the tenant's object, and a
// request may make a thousand: https://developers.cloudflare.com/workers/platform/limits/#subrequests
const (
	followLimit    = 5 * time.Minute
	idleLook       = 5 * time.Second // the longest pause while nothing changes; firstLook and lastLook are the others
	silence        = 15 * time.Second
	followPatience = 8 // looks in a row that may fail
)

// followJob tells a job whenever it has changed, until it is final. An event is the whole job, so who comes back needs its present
// state and nothing else. 204 says that the end was seen: browsers come back after anything else.
func followJob(c *call) error {
	last, err := lastEventID(c.r)
	if err != nil {
		return err
	}
	f := &jobFollower{call: c, id: c.r.PathValue("id"), pause: firstLook}
	began := c.opts.Now()
	_, err = f.look(c.ctx())
	c.stage("ledger", began)
	if err != nil {
		return err
	}
	if f.over && last == f.event {
		h := c.w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Server-Timing", c.timings())
		c.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	s := c.openStream()
	defer s.free()
	if c.w.head {
		return nil
	}
	s.buf = append(s.buf, retryHint...)
	return f.tell(s)
}

// jobFollower is a job as it was last seen.
type jobFollower struct {
	*call
	id       string
	data     []byte // the job as JSON
	event    int    // what this state of it is called: grows with the time of the change
	over     bool
	pause    time.Duration
	failures int
}

// tell writes the job and what becomes of it. When its time is up the stream ends without a last event, and when the ledger does
// not answer it breaks off; the client comes back.
func (f *jobFollower) tell(s *stream) error {
	ctx, cancel := context.WithTimeout(f.ctx(), followLimit)
	defer cancel()
	for changed := true; ; {
		switch {
		case !changed:
			s.buf = append(s.buf, heartbeat...)
		case f.over:
			s.event(f.event, "done", f.data)
			s.end()
			return nil
		default:
			s.event(f.event, "progress", f.data)
		}
		if s.send() != nil {
			f.err = errClientLeft
			return nil
		}
		var err error
		changed, err = f.next(ctx)
		switch {
		case f.ctx().Err() != nil:
			return f.ctx().Err()
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
	}
}

// next returns when the job has changed, or when there was silence for long. The pauses grow up to a second while things change, and
// beyond it while they do not.
func (f *jobFollower) next(ctx context.Context) (changed bool, err error) {
	quiet := time.NewTimer(silence)
	defer quiet.Stop()
	for {
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-quiet.C:
			return false, nil
		case <-time.After(f.pause):
		}
		changed, err = f.look(ctx)
		switch {
		case changed:
			f.pause = min(f.pause*3/2, lastLook)
			return true, nil
		case err == nil:
			f.failures = 0
		case !fault.Retryable(err) || f.failures == followPatience:
			return false, err
		default:
			f.failures++
		}
		f.pause = min(f.pause*3/2, idleLook)
	}
}

// look asks the ledger.
func (f *jobFollower) look(ctx context.Context) (changed bool, err error) {
	j, err := f.Ledger.Job(ctx, f.scope, f.id)
	if err != nil {
		return false, err
	}
	adviseJob(&j)
	data, err := json.Marshal(j)
	if err != nil {
		return false, fault.New(fault.Internal, "answer_encoding", "", err)
	}
	if bytes.Equal(data, f.data) {
		return false, nil
	}
	f.data, f.over = data, j.State.Final()
	f.event = jobEvent(j)
	return true, nil
}

// jobEvent numbers a state of a job: the time of its last change, and in the last bit whether it is the end.
func jobEvent(j job.Job) int {
	n := int(j.UpdatedAt.UnixMilli()) << 1
	if j.State.Final() {
		n |= 1
	}
	return n
}
