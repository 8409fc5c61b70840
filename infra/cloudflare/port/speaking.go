package port

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"levada.dev/events/fault"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/llm/dialect"
	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/audio"
)

// maxSound is how much of an answer is read: base64 of two minutes of samples, as melotts has them.
const maxSound = 16 << 20

// auraInput is what Deepgram's models take: https://developers.cloudflare.com/workers-ai/models/aura-1/. Which container and which rate an
// encoding has: https://developers.deepgram.com/docs/tts-media-output-settings.
type auraInput struct {
	Text       string `json:"text"`
	Speaker    string `json:"speaker"`
	Encoding   string `json:"encoding"`
	Container  string `json:"container,omitempty"`
	SampleRate int    `json:"sample_rate,omitempty"`
}

// meloInput is what melotts takes: https://developers.cloudflare.com/workers-ai/models/melotts/.
type meloInput struct {
	Prompt string `json:"prompt"`
	Lang   string `json:"lang"`
}

// speaking is a line in the model's dialect.
func speaking(m speech.Model, l speech.Line) ([]byte, error) {
	if m.Dialect == speech.Melo { // it has no choice of formats
		return json.Marshal(meloInput{Prompt: l.Text, Lang: l.Voice})
	}
	in := auraInput{Text: l.Text, Speaker: l.Voice}
	switch l.Format {
	case audio.WAV:
		in.Encoding, in.Container, in.SampleRate = "linear16", "wav", 24_000
	case audio.MP3:
		in.Encoding = "mp3" // without a container, at 22,050 samples a second and 48 kbit/s
	case audio.Opus:
		in.Encoding, in.Container = "opus", "ogg" // at 48,000 samples a second
	default:
		return nil, fault.Invalidf("format", "unsupported_format", "%.32q cannot be had from %s", l.Format, m.Name).WithHint("ask for wav, mp3 or opus")
	}
	return json.Marshal(in)
}

// spoken is what a call has answered. The body is used for the sound.
func spoken(model string, status int, body []byte) (speech.Spoken, error) {
	if status != http.StatusOK {
		return speech.Spoken{}, dialect.Refusal(model, status, body, time.Now())
	}
	if len(body) == 0 {
		return speech.Spoken{}, fault.Unavailablef(nil, llm.CodeBrokeOff, "model %s broke off before it said anything", model)
	}
	if len(body) > maxSound {
		return speech.Spoken{}, speech.ErrUnreadable(model, errors.New("it is longer than any part"))
	}
	sound := body
	if audio.Sniff(body) == audio.Unknown {
		var err error
		if sound, err = inside(body); err != nil {
			return speech.Spoken{}, speech.ErrUnreadable(model, err)
		}
		if sound == nil {
			return speech.Spoken{}, silent(model, body)
		}
	}
	out := speech.Spoken{Audio: sound, Format: audio.Sniff(sound)}
	if out.Format == audio.Unknown {
		return speech.Spoken{}, speech.ErrUnreadable(model, errors.New("its format is unknown"))
	}
	return out, nil
}

// inside is the sound in an answer of JSON, {"audio":"…"} or the same in a result; nil where there is none. It is a scanner of its own, and decodes in
// place, because an answer has up to 10 MB, which encoding/json would look at three times and copy twice.
func inside(body []byte) ([]byte, error) {
	_, rest, found := bytes.Cut(body, []byte(`"audio"`))
	rest, colon := bytes.CutPrefix(bytes.TrimLeft(rest, " \t\r\n"), []byte{':'})
	rest, quote := bytes.CutPrefix(bytes.TrimLeft(rest, " \t\r\n"), []byte{'"'})
	if !found || !colon || !quote {
		return nil, nil
	}
	text, _, whole := bytes.Cut(rest, []byte{'"'})
	if !whole {
		return nil, errors.New("it ends in the middle")
	}
	if bytes.IndexByte(text, '\\') >= 0 {
		text = bytes.ReplaceAll(text, []byte(`\/`), []byte{'/'})
	}
	n, err := base64.StdEncoding.Decode(text, text) // what is written is never ahead of what is read
	return text[:n], err
}

// silent is why an answer of success has no sound in it: an error that says so itself, or anybody's guess.
func silent(model string, body []byte) error {
	var answer struct {
		Errors []json.RawMessage `json:"errors"`
	}
	if json.Unmarshal(body, &answer) == nil && len(answer.Errors) > 0 {
		return dialect.Refusal(model, http.StatusBadGateway, body, time.Now())
	}
	return speech.ErrUnreadable(model, errors.New("there is no sound in it"))
}
