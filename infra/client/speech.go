package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"levada.dev/workflows/job"
	"levada.dev/workflows/speech"
)

// Speech is a text that is to be spoken. What is empty is the tenant's choice.
type Speech struct {
	Text   string  `json:"text"`
	Model  string  `json:"model,omitempty"`
	Voice  string  `json:"voice,omitempty"`
	Format string  `json:"format,omitempty"`
	Speed  float64 `json:"speed,omitempty"`
}

// SpeechJob is how far one has come.
type SpeechJob struct {
	ID         string       `json:"jobId"`
	State      job.State    `json:"state"`
	Characters int          `json:"characters"`
	Spoken     int          `json:"spoken"`
	Percent    int          `json:"percent"`
	Format     string       `json:"format"` // of the sound; as it was asked for until there is one
	Voice      string       `json:"voice"`
	Model      string       `json:"model"`
	Speed      float64      `json:"speed"`
	Shared     bool         `json:"shared,omitempty"` // an equal text was spoken before, or is being
	Expired    bool         `json:"expired,omitempty"`
	Cost       speech.Cost  `json:"cost"`
	DurationMS int64        `json:"durationMs"`
	Bytes      int64        `json:"bytes"`
	Chapters   []Chapter    `json:"chapters,omitempty"`
	Error      *job.Problem `json:"error,omitempty"`
	CreatedAt  time.Time    `json:"createdAt"`
	UpdatedAt  time.Time    `json:"updatedAt"`
}

// Duration is how long it sounds.
func (j SpeechJob) Duration() time.Duration { return time.Duration(j.DurationMS) * time.Millisecond }

// Chapter is where a heading is heard.
type Chapter struct {
	Title   string `json:"title"`
	StartMS int64  `json:"startMs"`
	EndMS   int64  `json:"endMs"`
}

const speechPath = "/tts"

func speechJobPath(id string) string { return speechPath + "/jobs/" + url.PathEscape(id) }

// Speak has a text spoken as a job. The state of what it answers is all that is known yet.
func (c *Client) Speak(ctx context.Context, s Speech) (SpeechJob, error) {
	return post[SpeechJob](ctx, c, speechPath, s)
}

// SpeechJob is how far a job of speech has come.
func (c *Client) SpeechJob(ctx context.Context, id string) (SpeechJob, error) {
	return get[SpeechJob](ctx, c, speechJobPath(id), nil)
}

// CancelSpeech ends a job of speech that has not ended.
func (c *Client) CancelSpeech(ctx context.Context, id string) (SpeechJob, error) {
	return call[SpeechJob](ctx, c, request{method: http.MethodDelete, path: speechJobPath(id)})
}

const (
	firstLook   = 100 * time.Millisecond
	longestLook = 2 * time.Second
)

// FollowSpeech asks for a job of speech until it has ended, and tells each change. A platform that is not there for a while is asked again.
func (c *Client) FollowSpeech(ctx context.Context, id string, changed func(SpeechJob)) (SpeechJob, error) {
	told, heard := -1, time.Now()
	for pause := firstLook; ; pause = min(pause+firstLook, longestLook) {
		j, err := c.SpeechJob(ctx, id)
		var away *Unreachable
		switch {
		case err == nil:
			heard = time.Now()
		case !errors.As(err, &away) || told < 0 || time.Since(heard) > c.opts.Patience:
			return j, err
		}
		if err == nil && j.Spoken != told {
			told = j.Spoken
			if changed != nil {
				changed(j)
			}
		}
		if err == nil && j.State.Final() {
			return j, nil
		}
		if err := Sleep(ctx, pause); err != nil {
			return j, err
		}
	}
}

// Sound writes what was spoken for a job to w, and says what it is by its media type.
func (c *Client) Sound(ctx context.Context, id string, w io.Writer) (contentType string, err error) {
	r := request{method: http.MethodGet, path: speechJobPath(id) + "/audio", accept: "audio/*, application/json"}
	return c.sound(ctx, r, w)
}

// Stream has a text spoken, and writes the sound to w as it comes.
func (c *Client) Stream(ctx context.Context, s Speech, w io.Writer) (contentType string, err error) {
	r, err := withJSON(request{method: http.MethodPost, path: speechPath, accept: "audio/*, application/json"}, struct {
		Speech
		Streaming bool `json:"streaming"`
	}{s, true})
	if err != nil {
		return "", err
	}
	return c.sound(ctx, r, w)
}

func (c *Client) sound(ctx context.Context, r request, w io.Writer) (contentType string, err error) {
	resp, err := c.send(ctx, r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", refusal(r, resp)
	}
	if _, err := io.Copy(w, resp.Body); err != nil {
		return "", fmt.Errorf("%s %s: the sound has broken off: %w", r.method, r.path, err)
	}
	return resp.Header.Get("Content-Type"), nil
}
