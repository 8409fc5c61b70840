package notify

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"time"

	"levada.dev/consumers"
	"levada.dev/events"
	"levada.dev/tenants"
	"levada.dev/workflows/job"
)

// The types of messages.
const (
	typeSynthesized = "speech.synthesized"
	typeFailed      = "speech.failed"
	typeFired       = "alert.fired"
	typeResolved    = "alert.resolved"
)

// message is what is sent, as its body has it. docs/webhooks.md promises it: members are added, never changed.
type message struct {
	Type string    `json:"type"`
	At   time.Time `json:"timestamp"` // of what has happened, the same at every attempt
	Data any       `json:"data"`
	part string    // of its event: the job, where one has several messages
}

// about is the job that has ended.
type about struct {
	Job        string    `json:"jobId"`
	State      job.State `json:"state"`
	Characters int       `json:"characters"`
	Format     string    `json:"format"`
	Voice      string    `json:"voice"`
	Model      string    `json:"model"`
	DurationMS int64     `json:"durationMs,omitempty"`
	Bytes      int64     `json:"bytes,omitempty"`
	StatusURL  string    `json:"statusUrl"` // paths: the server knows the host that it asked
	AudioURL   string    `json:"audioUrl,omitempty"`
	Error      *problem  `json:"error,omitempty"`
}

// problem is why a job has failed.
type problem struct {
	Code    string `json:"code"`
	Message string `json:"message,omitempty"`
}

func synthesized(d consumers.Of[events.SpeechSynthesized]) []message {
	f := d.Fact
	return each(f.Jobs, func(id string) message {
		a := of(id, f.SpeechRef, job.Succeeded)
		a.DurationMS, a.Bytes, a.AudioURL = f.DurationMS, f.Bytes, a.StatusURL+"/audio"
		return message{typeSynthesized, d.Event.Time.UTC(), a, id}
	})
}

func failed(d consumers.Of[events.SpeechFailed]) []message {
	f := d.Fact
	return each(f.Jobs, func(id string) message {
		a := of(id, f.SpeechRef, job.Failed)
		a.Error = &problem{f.Code, f.Message}
		return message{typeFailed, d.Event.Time.UTC(), a, id}
	})
}

func each(jobs []string, say func(id string) message) []message {
	all := make([]message, len(jobs))
	for i, id := range jobs {
		all[i] = say(id)
	}
	return all
}

func of(id string, r events.SpeechRef, state job.State) about {
	return about{
		Job: id, State: state, Characters: r.Characters, Format: r.Format, Voice: r.Voice, Model: r.Model,
		StatusURL: "/tts/jobs/" + url.PathEscape(id),
	}
}

// id names the message: the same at every attempt, and another's never.
func (m message) id(s tenants.Scope, event string) string {
	sum := sha256.Sum256([]byte(string(s.Tenant()) + "\x00" + event + "\x00" + m.part))
	return "msg_" + hex.EncodeToString(sum[:16])
}
