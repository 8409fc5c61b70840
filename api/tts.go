package api

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/workflows/job"
	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/audio"
	"levada.dev/workflows/speech/cut"
)

// Recorder makes takes; *record.Recorder does.
type Recorder interface {
	// Live makes a take of which the caller has the claim, for somebody who listens: noted is called after each part that is kept. What may pass is tried again
	// for some seconds, then the take is ended as failed, and why is returned. When ctx ends, it is left to whoever claims it next. That
	// somebody else has it is no error. Safe for concurrent use.
	Live(ctx context.Context, s tenants.Scope, c speech.Claim, noted func()) error
}

// speechRequest is the body of POST /tts.
type speechRequest struct {
	Text      string   `json:"text"`
	Model     string   `json:"model"`
	Voice     string   `json:"voice"`
	Format    string   `json:"format"`
	Speed     *float64 `json:"speed"`
	Streaming bool     `json:"streaming"`
}

var speechForm = formOf[speechRequest]()

// speechReceipt is the answer while the text is spoken.
type speechReceipt struct {
	JobID      string       `json:"jobId"`
	StatusURL  string       `json:"statusUrl"`
	State      job.State    `json:"state"`
	Characters int          `json:"characters"`
	Format     audio.Format `json:"format"`
	Voice      string       `json:"voice"`
	Model      string       `json:"model"`
	Speed      float64      `json:"speed"`
	Shared     bool         `json:"shared,omitempty"`
}

// requestSpeech has a text spoken: as a job, or with streaming while the caller waits.
func requestSpeech(c *call) error {
	terms := c.speechTerms()
	if err := terms.Check(); err != nil {
		return err
	}
	req, err := speechForm.decode(c.body)
	if err != nil {
		return err
	}
	c.dropBody() // the text is a copy
	asked := speech.Request{Text: req.Text, Model: req.Model, Voice: req.Voice, Format: req.Format}
	if req.Speed != nil {
		if asked.Speed = *req.Speed; asked.Speed == 0 { // which stands for none
			return fault.Invalidf("speed", "value_out_of_range", "0 is not 0.25 to 4")
		}
	}
	order, err := terms.Order(asked)
	if err != nil {
		return err
	}
	if req.Streaming {
		if err := streamable(order); err != nil {
			return err
		}
	}
	bound, err := boundOf(order)
	if err != nil {
		return err
	}
	opened, err := c.orderSpeech(order, asked, bound, req.Streaming)
	if err != nil {
		return err
	}
	if req.Streaming {
		return c.play(opened)
	}
	j := opened.Job
	c.w.Header().Set("Location", speechURL(j.ID))
	return c.ok(http.StatusAccepted, speechReceipt{
		JobID: j.ID, StatusURL: speechURL(j.ID), State: j.State, Characters: j.Characters, Format: formatOf(j), Voice: voiceOf(j), Model: modelOf(j),
		Speed: speedOf(j), Shared: j.Shared,
	})
}

// speechTerms are what the tenant's texts are spoken under.
func (c *call) speechTerms() speech.Terms {
	return speech.Terms{Speech: c.config.Speech, Formats: c.opts.SpeechFormats}
}

// boundOf is more than an order costs.
func boundOf(o speech.Order) (quota.Amount, error) {
	model, err := speech.FindModel(o.Model)
	if err != nil {
		return quota.Amount{}, err
	}
	chars := o.Chars()
	return quota.Amount{Chars: int64(chars), Nanos: model.Bound(chars)}, nil
}

// orderSpeech opens the job of an order that the tenant's budgets have room for. One that they have none for is opened when nobody pays for it: its key has a job,
// or an equal order has a take to share.
func (c *call) orderSpeech(o speech.Order, asked speech.Request, bound quota.Amount, direct bool) (speech.Opened, error) {
	refused := c.affordSpeech(o, bound, direct)
	if refused != nil && fault.As(refused).Code != "budget_exhausted" {
		return speech.Opened{}, refused
	}
	opened, err := c.openSpeech(o, asked, direct, refused != nil)
	if refused != nil && err != nil && fault.As(err).Code == speech.CodeUnshared {
		return opened, refused
	}
	return opened, err
}

// affordSpeech refuses an order when the tenant's budgets have no room for the whole of it now. Nothing is held: each part pays when it is spoken.
func (c *call) affordSpeech(o speech.Order, bound quota.Amount, direct bool) error {
	began := c.opts.Now()
	_, err := c.Gate.Acquire(c.ctx(), c.scope, quota.Ask{Room: bound, Ahead: soon(o, bound, direct)})
	c.stage("quota", began)
	if err != nil {
		return fmt.Errorf("afford: %w", err)
	}
	return nil
}

// soon is what this isolate will ask for in a moment: who waits for the sound has it made here.
func soon(o speech.Order, bound quota.Amount, direct bool) quota.Amount {
	if !direct || !spokenHere(o) {
		return quota.Amount{}
	}
	return bound
}

// spokenHere reports whether an order is one that the API itself makes, for who waits. One whose samples are stretched takes seconds of CPU: that is the queue's.
func spokenHere(o speech.Order) bool { return o.Speed == 100 }

// streamable refuses a text that is too long to wait for.
func streamable(o speech.Order) error {
	if n := o.Chars(); n > speech.MaxStreamed {
		return fault.Invalidf("text", "text_too_long", "has %d characters; %d are spoken while the caller waits", n, speech.MaxStreamed).
			WithHint("POST /tts without streaming takes it")
	}
	return nil
}

// openSpeech opens the job of an order. Direct is one whose caller waits for the sound: then the answer may have the claim of its take. Who may only share
// claims none.
func (c *call) openSpeech(o speech.Order, asked speech.Request, direct, onlyShared bool) (speech.Opened, error) {
	cuts, err := cut.Of(o)
	if err != nil {
		return speech.Opened{}, err
	}
	opening := speech.Opening{
		ID: c.opts.NewID(), Order: o, Cuts: cuts, Keep: time.Duration(c.config.Speech.KeepDays) * 24 * time.Hour,
		Direct: direct && !onlyShared && spokenHere(o), OnlyShared: onlyShared, Cause: c.cause(),
	}
	if c.idempotencyKey != "" {
		opening.Key, opening.Hash = c.idempotencyKey, hashOf(asked, direct)
	}
	began := c.opts.Now()
	opened, err := c.Speech.Open(c.ctx(), c.scope, opening)
	c.stage("speech", began)
	if err != nil {
		return opened, fmt.Errorf("open the job: %w", err)
	}
	if opened.Again {
		c.w.Header().Set("Idempotent-Replayed", "true")
	}
	return opened, nil
}

// hashOf is the same for requests that ask for the same, whatever the tenant's own choices are by then.
func hashOf(r speech.Request, direct bool) string {
	text, err := json.Marshal(struct {
		speech.Request
		Direct bool
	}{r, direct})
	if err != nil {
		panic("api: a request of speech has no JSON: " + err.Error()) // its speed is a number that JSON had
	}
	sum := sha256.Sum256(text)
	return fmt.Sprintf("%x", sum)
}

func speechURL(id string) string { return "/tts/jobs/" + url.PathEscape(id) }

func audioURL(id string) string { return speechURL(id) + "/audio" }
