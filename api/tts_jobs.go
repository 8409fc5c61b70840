package api

import (
	"cmp"
	"fmt"
	"net/http"
	"time"

	"levada.dev/workflows/job"
	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/audio"
)

// speechView is a job of speech as it is told.
type speechView struct {
	JobID      string       `json:"jobId"`
	State      job.State    `json:"state"`
	StatusURL  string       `json:"statusUrl"`
	AudioURL   string       `json:"audioUrl,omitempty"` // while there is something to be had
	Characters int          `json:"characters"`
	Spoken     int          `json:"spoken"`
	Percent    int          `json:"percent"`
	Format     audio.Format `json:"format"`
	Voice      string       `json:"voice"`
	Model      string       `json:"model"`
	Speed      float64      `json:"speed"`
	Shared     bool         `json:"shared,omitempty"`
	Expired    bool         `json:"expired,omitempty"`
	Cost       speech.Cost  `json:"cost"`
	Error      *job.Problem `json:"error,omitempty"`
	CreatedAt  time.Time    `json:"createdAt"`
	UpdatedAt  time.Time    `json:"updatedAt"`
	ExpiresAt  *time.Time   `json:"expiresAt,omitempty"`
}

// spokenView is a job with what there is of its sound.
type spokenView struct {
	speechView
	DurationMS int64         `json:"durationMs"`
	Bytes      int64         `json:"bytes"`
	Chapters   []chapterView `json:"chapters"`
	Timestamps []passageView `json:"timestamps"`
}

// passageView is when a part of the text is heard: characters of the text, and milliseconds of the sound.
type passageView struct {
	Start   int   `json:"start"`
	End     int   `json:"end"`
	StartMS int64 `json:"startMs"`
	EndMS   int64 `json:"endMs"`
}

type chapterView struct {
	Title string `json:"title"`
	passageView
}

// showSpeech answers how far a job of speech has come.
func showSpeech(c *call) error {
	j, err := c.speechJob()
	if err != nil {
		return err
	}
	return c.ok(http.StatusOK, spokenOf(j))
}

// listSpeech answers the tenant's jobs of speech, newest first.
func listSpeech(c *call) error {
	page, err := pageOf(c.r.URL)
	if err != nil {
		return err
	}
	began := c.opts.Now()
	list, err := c.Speech.Jobs(c.ctx(), c.scope, page.cursor, min(page.limit, speech.MaxPage))
	c.stage("speech", began)
	if err != nil {
		return asQuery(fmt.Errorf("list the jobs: %w", err))
	}
	views := make([]speechView, 0, len(list.Jobs))
	for _, j := range list.Jobs {
		views = append(views, viewOf(j))
	}
	return c.ok(http.StatusOK, struct {
		Jobs []speechView `json:"jobs"`
		Next string       `json:"next,omitempty"`
	}{views, list.Next})
}

// cancelSpeech ends a job that has not ended, and answers what it is then.
func cancelSpeech(c *call) error {
	began := c.opts.Now()
	j, err := c.Speech.Cancel(c.ctx(), c.scope, c.r.PathValue("id"))
	c.stage("speech", began)
	if err != nil {
		return fmt.Errorf("cancel: %w", err)
	}
	return c.ok(http.StatusOK, spokenOf(j))
}

func (c *call) speechJob() (speech.Job, error) {
	began := c.opts.Now()
	j, err := c.Speech.Job(c.ctx(), c.scope, c.r.PathValue("id"))
	c.stage("speech", began)
	return j, err
}

// viewOf is what is told of a job in a list.
func viewOf(j speech.Job) speechView {
	v := speechView{
		JobID: j.ID, State: j.State, StatusURL: speechURL(j.ID), Characters: j.Characters, Spoken: j.Spoken, Format: formatOf(j), Voice: voiceOf(j), Model: modelOf(j),
		Speed: speedOf(j), Shared: j.Shared, Expired: j.Expired, Cost: j.Cost, Error: j.Error, CreatedAt: j.CreatedAt, UpdatedAt: j.UpdatedAt,
	}
	if j.Characters > 0 {
		v.Percent = min(100*j.Spoken/j.Characters, 100)
	}
	if !j.ExpiresAt.IsZero() {
		v.ExpiresAt = &j.ExpiresAt
	}
	if j.State == job.Succeeded && !j.Expired {
		v.AudioURL = audioURL(j.ID)
	}
	if j.Error != nil {
		why := *j.Error
		v.Error = &advised([]job.Problem{why})[0]
	}
	return v
}

// spokenOf is all that is told of a job. Of one that is not done, as much as could be heard.
func spokenOf(j speech.Job) spokenView {
	v := spokenView{speechView: viewOf(j), Chapters: []chapterView{}, Timestamps: []passageView{}}
	var at time.Duration
	for _, p := range j.Tape.Ready() {
		if p.Index >= len(j.Cuts) {
			break
		}
		cut := j.Cuts[p.Index]
		said := passageView{cut.At, cut.At + cut.Chars, at.Milliseconds(), (at + p.Duration).Milliseconds()}
		at += p.Duration
		v.Timestamps = append(v.Timestamps, said)
		switch n := len(v.Chapters); {
		case cut.Chapter != "":
			v.Chapters = append(v.Chapters, chapterView{cut.Chapter, said})
		case n > 0:
			v.Chapters[n-1].End, v.Chapters[n-1].EndMS = said.End, said.EndMS
		}
	}
	v.DurationMS = j.Tape.Duration().Milliseconds()
	if j.Tape.Whole() {
		v.Bytes = j.Tape.Bytes()
	}
	return v
}

// formatOf, modelOf and voiceOf are those of the sound, and until there is one, those that were ordered.
func formatOf(j speech.Job) audio.Format { return cmp.Or(j.Tape.Format, audio.Format(j.Format)) }
func modelOf(j speech.Job) string        { return cmp.Or(j.Tape.Model, j.Model) }
func voiceOf(j speech.Job) string        { return cmp.Or(j.Tape.Voice, j.Voice) }

func speedOf(j speech.Job) float64 { return float64(j.Speed) / 100 }
