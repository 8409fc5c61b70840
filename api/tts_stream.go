package api

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"levada.dev/events/fault"
	"levada.dev/workflows/job"
	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/play"
)

// How often a take is looked at by who listens to it: each look is a call of the tenant's object. Whoever makes it in this isolate says when there
// is something to see.
const (
	firstListen = 100 * time.Millisecond
	lastListen  = 500 * time.Millisecond
	toldListen  = 5 * time.Second
	listenLimit = 2 * time.Minute // without news
)

// recording is a take that is made beside this request.
type recording struct {
	news chan struct{} // has something when a part was kept
	done chan struct{} // is closed at the end
	err  error         // after it
}

// recordTake makes a take beside the request, which goes on when the client leaves.
func (c *call) recordTake(claim speech.Claim) (*recording, error) {
	r := &recording{news: make(chan struct{}, 1), done: make(chan struct{})}
	log, s, id := c.opts.Log, c.scope, c.requestID // the call may be gone when it runs
	err := c.opts.Background(c.ctx(), func(ctx context.Context) {
		defer close(r.done)
		r.err = fault.New(fault.Internal, "panic", "", nil) // unless it ends
		r.err = c.server.Recorder.Live(ctx, s, claim, func() {
			select {
			case r.news <- struct{}{}:
			default:
			}
		})
		if r.err != nil {
			log.WarnContext(ctx, "a text was not spoken", "requestId", id, "tenantId", s.Tenant(), "take", claim.Take, "code", fault.As(r.err).Code, "error", r.err)
		}
	})
	if err != nil { // the request is over already: the take is late some time, and given to the queue
		return nil, fault.Unavailablef(err, "isolate_ending", "the text is spoken later").WithHint("GET the job at Content-Location")
	}
	return r, nil
}

// play answers a job with its sound, as it is made. What goes wrong before the first byte is an answer; later the connection is broken off.
func (c *call) play(opened speech.Opened) error {
	h := c.w.Header()
	h.Set("X-Job-Id", opened.Job.ID)
	h.Set("Content-Location", audioURL(opened.Job.ID))
	l := listener{call: c, job: opened.Job, pause: firstListen}
	if opened.Claim != nil {
		var err error
		if l.rec, err = c.recordTake(*opened.Claim); err != nil {
			return err
		}
	}
	return l.listen()
}

// listener sends the sound of a job while it is made.
type listener struct {
	*call
	job      speech.Job
	rec      *recording // nil: somebody else makes it
	sent     int        // parts
	by       string     // who takes it over, once that was tried,
	asked    time.Time  // and when it last was
	pause    time.Duration
	failures int // of looks in a row
}

func (l *listener) listen() error {
	quiet := time.NewTimer(listenLimit)
	defer quiet.Stop()
	for {
		was := l.sent
		if done, err := l.tell(); done || err != nil {
			return err
		}
		if l.sent > was {
			quiet.Reset(listenLimit)
			l.pause = firstListen
		}
		if err := l.takeOver(); err != nil {
			return err
		}
		if err := l.wait(quiet.C); err != nil {
			return err
		}
		if err := l.look(); err != nil {
			return err
		}
	}
}

// tell sends what there is, and reports whether that was all.
func (l *listener) tell() (bool, error) {
	switch t := l.job.Tape; {
	case l.job.State.Final() && l.job.State != job.Succeeded:
		return true, l.ended()
	case l.job.Expired:
		return true, errExpired
	case t.Whole() && l.sent == 0:
		return true, l.whole()
	default:
		if err := l.parts(t); err != nil {
			return true, err
		}
		return t.Whole() && l.sent == t.Cuts, nil
	}
}

// ended is why there will be no sound.
func (l *listener) ended() error {
	if l.job.State == job.Failed && l.job.Error != nil {
		p := l.job.Error
		f := fault.New(kindOf(p.Code), p.Code, p.Message, nil).WithHint(p.Hint)
		f.Field = p.Field
		return f
	}
	return l.playable(l.job)
}

// kindOf is the kind of a fault of which only the code is known.
func kindOf(code string) fault.Kind {
	for kind, status := range byKind {
		if status == statuses[code] {
			return kind
		}
	}
	return fault.Unavailable
}

// whole sends a sound of which nothing is missing.
func (l *listener) whole() error {
	file, err := play.New(l.ctx(), l.Sounds, l.scope, l.job.Tape)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	if err := file.Cue(file.Size()); err != nil {
		return gone(err)
	}
	l.describe(l.job)
	l.w.Header().Set("Content-Length", strconv.FormatInt(file.Size(), 10))
	l.begin()
	if l.w.head {
		return nil
	}
	_, err = io.Copy(l.w, file)
	return err
}

// parts sends those that are ready. The first one is opened before anything is said.
func (l *listener) parts(t speech.Tape) error {
	for _, part := range t.Ready()[l.sent:] {
		w := io.Writer(l.w)
		if l.sent == 0 {
			header, err := t.OpenHeader()
			if err != nil {
				return err
			}
			w = &firstWriter{listener: l, header: header}
		}
		if err := play.Part(l.ctx(), l.Sounds, l.scope, t.Reel, part, w); err != nil {
			return gone(err)
		}
		l.w.Flush()
		l.sent++
	}
	return nil
}

// begin says that a sound follows.
func (l *listener) begin() {
	h := l.w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Server-Timing", l.timings())
	l.w.WriteHeader(http.StatusOK)
}

// firstWriter says so when the first bytes are there, and puts the header before them.
type firstWriter struct {
	*listener
	header []byte
}

// Write implements io.Writer.
func (w *firstWriter) Write(b []byte) (int, error) {
	if w.w.status == 0 {
		w.seen.First()
		h := w.w.Header()
		h.Set("Content-Type", w.job.Tape.Format.ContentType())
		h.Set("Content-Disposition", `inline; filename="speech`+w.job.Tape.Format.Ext()+`"`)
		h.Set("X-Content-Type-Options", "nosniff")
		w.begin()
		if _, err := w.w.Write(w.header); err != nil {
			return 0, err
		}
	}
	return w.w.Write(b)
}

// takeOver goes on with a take of which there was no news for as long as whoever makes it may be silent: the isolate that had it has died, or the answer
// that gave it to somebody was lost. Nobody is asked to wait until the tenant's object notices. Of all who listen one has it.
func (l *listener) takeOver() error {
	now := l.opts.Now()
	if l.rec != nil || l.job.Speed != 100 || now.Sub(l.job.UpdatedAt) < speech.DirectLease || now.Sub(l.asked) < toldListen {
		return nil
	}
	l.asked = now
	if l.by == "" {
		l.by = l.opts.NewID()
	}
	claim, err := l.Booth.TakeOver(l.ctx(), l.scope, l.job.Take, l.by)
	if err != nil {
		return nil // somebody is at it, or it is not its turn: the job says
	}
	l.rec, err = l.recordTake(claim)
	return err
}

// wait returns when it is worth another look.
func (l *listener) wait(quiet <-chan time.Time) error {
	var news, done <-chan struct{}
	pause := l.pause
	if l.rec != nil {
		news, done, pause = l.rec.news, l.rec.done, toldListen
	}
	l.pause = min(l.pause*3/2, lastListen)
	select {
	case <-l.ctx().Done():
		return l.ctx().Err()
	case <-quiet:
		return fault.Unavailablef(nil, "speech_late", "nothing was heard of the speech for %s; it may still be spoken", listenLimit).WithHint("GET the job at Content-Location")
	case <-news:
	case <-time.After(pause):
	case <-done:
		select {
		case <-news: // what was kept before it ended is heard first
			return nil
		default:
		}
		rec := l.rec
		l.rec = nil // it is over, or somebody else's by now
		return l.lastWords(rec.err)
	}
	return nil
}

// lastWords says what came of the recording, unless the job ended otherwise meanwhile.
func (l *listener) lastWords(failed error) error {
	if failed == nil || l.look() == nil && l.job.State.Final() && l.job.State != job.Failed {
		return nil
	}
	return fmt.Errorf("record: %w", failed)
}

// look asks how far the job is. What may pass is passed over some times.
func (l *listener) look() error {
	j, err := l.Speech.Job(l.ctx(), l.scope, l.job.ID)
	switch {
	case err == nil:
		l.job, l.failures = j, 0
	case !fault.Retryable(err) || l.failures == followPatience:
		return err
	default:
		l.failures++
	}
	return nil
}
