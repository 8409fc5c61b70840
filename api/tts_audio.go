package api

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"levada.dev/events/fault"
	"levada.dev/workflows/job"
	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/play"
)

// showAudio answers what was spoken for a job, whole or in ranges of bytes. The parts it is made of are read one after the other; no more of them than is
// asked for.
func showAudio(c *call) error {
	j, err := c.speechJob()
	if err != nil {
		return err
	}
	if err := c.playable(j); err != nil {
		return err
	}
	file, err := play.New(c.ctx(), c.Sounds, c.scope, j.Tape)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	if strings.Count(c.r.Header.Get("Range"), ",") >= maxRanges {
		c.r.Header.Del("Range") // each could open a part; who asks for so many gets all (RFC 9110, 14.2)
	}
	h := c.w.Header()
	c.describe(j)
	h.Set("Cache-Control", "private, max-age="+strconv.Itoa(int(j.ExpiresAt.Sub(c.opts.Now())/time.Second))+", immutable")
	h.Set("Server-Timing", string(c.stages))
	w := &playWriter{rangeWriter: rangeWriter{ResponseWriter: c.w}, file: file, head: c.w.head}
	refuseNothing(c.r, file.Size())
	http.ServeContent(w, c.r, "", j.UpdatedAt, file)
	switch {
	case w.refused:
		return fault.Invalidf("", "range_not_satisfiable", "the audio is %d bytes long", file.Size())
	case w.err != nil:
		return gone(w.err)
	}
	return gone(file.Err())
}

// maxRanges is how many ranges are answered at once.
const maxRanges = 8

// playable says why a job has no sound to be had.
func (c *call) playable(j speech.Job) error {
	switch {
	case j.Expired || j.State == job.Succeeded && !c.opts.Now().Before(j.ExpiresAt):
		return errExpired
	case j.State == job.Succeeded:
		return nil
	case j.State == job.Cancelled:
		return withDetails(fault.New(fault.Conflict, "audio_cancelled", "the job was cancelled", nil).WithHint("ask for the speech again"), details{State: j.State})
	case j.State == job.Failed:
		d := details{State: j.State}
		if j.Error != nil {
			d.JobCode = j.Error.Code
		}
		return withDetails(fault.New(fault.Conflict, "audio_failed", "the text could not be spoken", nil).WithHint("GET "+speechURL(j.ID)+" says why"), d)
	}
	c.w.Header().Set("Retry-After", "1")
	return withDetails(fault.New(fault.Conflict, "audio_not_ready", "the text is not spoken yet", nil).WithHint("GET "+speechURL(j.ID)+" says how far it is"), details{State: j.State})
}

var errExpired = fault.New(fault.NotFound, "audio_expired", "the audio is not kept any more", nil).WithHint("ask for the speech again")

// gone says of a sound that is not there what is said of one that has expired: the job is asked before it is removed.
func gone(err error) error {
	if fault.Is(err, fault.NotFound) {
		return errExpired
	}
	return err
}

// describe sets what is told of the whole sound of a job, however it is sent.
func (c *call) describe(j speech.Job) {
	h := c.w.Header()
	h.Set("Content-Type", j.Tape.Format.ContentType())
	h.Set("Content-Disposition", `inline; filename="speech`+j.Tape.Format.Ext()+`"`)
	h.Set("ETag", `"`+j.Tape.Digest()+`"`)
	h.Set("X-Content-Type-Options", "nosniff")
}

// playWriter looks whether the sound can be had before it says that it follows.
type playWriter struct {
	rangeWriter
	file *play.Player
	head bool
	err  error
}

// WriteHeader implements http.ResponseWriter.
func (w *playWriter) WriteHeader(status int) {
	h := w.Header()
	if single := !strings.HasPrefix(h.Get("Content-Type"), "multipart/"); single && !w.head && (status == http.StatusOK || status == http.StatusPartialContent) {
		n, err := strconv.ParseInt(h.Get("Content-Length"), 10, 64)
		if err != nil {
			n = w.file.Size()
		}
		if w.err = w.file.Cue(n); w.err != nil {
			for _, name := range []string{"ETag", "Content-Disposition", "Last-Modified", "Content-Range", "Accept-Ranges"} {
				h.Del(name)
			}
			return
		}
	}
	w.rangeWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *playWriter) Write(b []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	return w.rangeWriter.Write(b)
}
