package speech

import (
	"context"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/speech/audio"
)

// Synthesizer speaks what a model takes at once.
//
// The call is made through the gateway with the tenant and the purpose on record, and is kept there for a while under the line's key, below the
// tenant's: whoever has lost the answer and asks again is not charged twice (Spoken.Cached). What comes is in the format that its bytes show, whatever was asked
// for. It retries nothing; faults are those of an llm.Embedder: fault.Unavailable (busy, code model_busy; no sound, code CodeUnreadable) may be retried by the
// caller, under another key than what was of no use, which the gateway has: Cached and LogID are told beside a fault, too; fault.Limited (quota used up, code model_quota) not before its RetryAfter, fault.Invalid, code model_refused, never. Safe for concurrent use.
type Synthesizer interface {
	Speak(ctx context.Context, s tenants.Scope, c llm.Call, l Line) (Spoken, error)
}

// Line is one thing to say.
type Line struct {
	Text   string
	Voice  string
	Format audio.Format
	Key    string // of the gateway's cache; "" for none
}

// Spoken is what came.
type Spoken struct {
	Audio  []byte
	Format audio.Format
	LogID  string // the gateway's log entry
	Cached bool   // the gateway had it: the provider was not asked
}

// ErrEmpty is audio.CodeEmpty as a fault of the text: the voice has no sound for it, and will have none however often it is asked.
func ErrEmpty(model, voice string) error {
	return fault.Invalidf("text", audio.CodeEmpty, "the voice %s of %s has no sound for the text, or for a part of it", voice, model).
		WithHint("choose a voice for the language of the text: GET /tts/voices lists them")
}

// CodeUnreadable is the fault of an answer that is no sound. It may have been paid all the same.
const CodeUnreadable = "audio_unreadable"

// ErrUnreadable is CodeUnreadable as a fault, and why.
func ErrUnreadable(model string, cause error) error {
	return fault.Unavailablef(cause, CodeUnreadable, "%s answered what is no sound", model)
}
