package speech

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/speech/audio"
)

const (
	// MaxText is how many characters (code points) a text has at most.
	MaxText = 200_000
	// MaxStreamed is how many of a text are spoken while the caller waits. A longer one is a narration, which is made as a job.
	MaxStreamed = 5_000
)

// The speeds, in percent of the voice's own.
const (
	MinSpeed = 25
	MaxSpeed = 400
)

// Request is what a caller asks for. What is empty is the tenant's.
type Request struct {
	Text   string
	Model  string
	Voice  string // the provider's, or an alias
	Format string
	Speed  float64 // 1 is the voice's own, and so is 0
}

// Order is a request with every choice made: all that the sound depends on.
type Order struct {
	Text   string       `json:"text"`
	Model  string       `json:"model"`
	Voice  string       `json:"voice"` // the provider's
	Format audio.Format `json:"format"`
	Speed  int          `json:"speed"` // percent
}

// Digest names the order: equal ones have the same, and no others.
func (o Order) Digest() string {
	h := sha256.New()
	for _, part := range []string{"1", o.Model, o.Voice, string(o.Format), strconv.Itoa(o.Speed), o.Text} {
		fmt.Fprintf(h, "%d:%s,", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil)[:20])
}

// Chars is how many characters the order has, as they are paid.
func (o Order) Chars() int { return utf8.RuneCountInString(o.Text) }

// Terms are what orders are made under.
type Terms struct {
	Speech tenants.Speech // the tenant's, with its defaults set
	// Formats are those that the platform's voices give; nil for whatever a model gives.
	Formats []audio.Format
}

// Order makes every choice of a request, or says what is wrong with which field of it.
func (t Terms) Order(r Request) (Order, error) {
	m, err := t.model(r.Model)
	if err != nil {
		return Order{}, err
	}
	o := Order{Text: r.Text, Model: m.Name}
	if err := checkText(r.Text); err != nil {
		return Order{}, err
	}
	if o.Voice, err = t.voice(m, r.Voice); err != nil {
		return Order{}, err
	}
	if o.Format, err = t.format(m, r); err != nil {
		return Order{}, err
	}
	o.Speed, err = speed(r.Speed, o.Format)
	return o, err
}

// Offers are the formats that the tenant's requests may name.
func (t Terms) Offers(m Model) []audio.Format {
	if t.Formats == nil {
		return m.Formats
	}
	return slices.DeleteFunc(slices.Clone(m.Formats), func(f audio.Format) bool { return !slices.Contains(t.Formats, f) })
}

// ErrOff is what a tenant is told that may not have speech, and ErrNone one for which no model is configured.
var (
	ErrOff  = fault.New(fault.Denied, "tts_not_enabled", "speech is not enabled for the tenant", nil).WithHint("speech.enabled in the tenant's configuration turns it on")
	ErrNone = fault.New(fault.Denied, "tts_not_configured", "no model that speaks is configured for the tenant", nil).WithHint("speech.model in the tenant's configuration names one")
)

// Check says whether the tenant may have speech at all.
func (t Terms) Check() error {
	switch {
	case !t.Speech.Enabled:
		return ErrOff
	case t.Speech.Model == "" || t.Speech.Model == tenants.NoSpeech:
		return ErrNone
	}
	return nil
}

// defaultName is what OpenAI's clients and others name the tenant's own choice by.
const defaultName = "default"

// model is the tenant's, by its name or by one that leaves the choice to the tenant: callers of OpenAI's must name one of theirs.
func (t Terms) model(name string) (Model, error) {
	if err := t.Check(); err != nil {
		return Model{}, err
	}
	if name == "" || name == defaultName || slices.Contains(foreignModels, name) {
		name = t.Speech.Model
	}
	m, err := FindModel(name)
	if err != nil {
		return Model{}, err
	}
	if name != t.Speech.Model && name != t.Speech.Fallback {
		f := fault.New(fault.Denied, "model_not_allowed", name+" is not allowed here", nil).WithHint("speech.model and speech.fallback of the tenant are")
		f.Field = "model"
		return Model{}, f
	}
	return m, nil
}

// foreignModels are OpenAI's names: https://platform.openai.com/docs/guides/text-to-speech.
var foreignModels = []string{"tts-1", "tts-1-hd", "gpt-4o-mini-tts"}

// aliases are OpenAI's voices; who has no alias of the tenant's is one of the model's, always the same.
var aliases = []string{"alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx", "sage", "shimmer", "verse"}

// Aliases are the names by which the tenant's requests may ask for a voice of the model besides the voices' own, and what they stand for.
func (t Terms) Aliases(m Model) map[string]string {
	all := map[string]string{defaultName: t.own(m)}
	for i, name := range aliases {
		all[name] = m.Voices[i%len(m.Voices)]
	}
	for name, voice := range t.Speech.Voices {
		if slices.Contains(m.Voices, voice) {
			all[name] = voice
		}
	}
	return all
}

// own is the voice of requests that name none.
func (t Terms) own(m Model) string {
	if slices.Contains(m.Voices, t.Speech.Voice) {
		return t.Speech.Voice
	}
	return m.Voices[0]
}

func (t Terms) voice(m Model, name string) (string, error) {
	if name == "" {
		return t.own(m), nil
	}
	known := t.Aliases(m)
	if voice, found := known[name]; found {
		return voice, nil
	}
	if slices.Contains(m.Voices, name) {
		return name, nil
	}
	return "", fault.Invalidf("voice", "voice_unknown", "%s has no voice %.64q", m.Name, name).
		WithHint("it has " + strings.Join(m.Voices, ", ") + "; aliases are " + strings.Join(slices.Sorted(maps.Keys(known)), ", "))
}

// format is the one that is asked for, the tenant's, or the first that can be had.
func (t Terms) format(m Model, r Request) (audio.Format, error) {
	offers := t.Offers(m)
	if joined := utf8.RuneCountInString(r.Text) > m.MaxChars; joined { // parts of Ogg do not make one file that everybody plays
		offers = slices.DeleteFunc(slices.Clone(offers), func(f audio.Format) bool { return f == audio.Opus })
	}
	if len(offers) == 0 {
		return "", ErrNone
	}
	f := audio.Format(r.Format)
	if r.Format == "" {
		f = audio.Format(t.Speech.Format)
		if !slices.Contains(offers, f) {
			f = offers[0]
		}
		if r.Speed != 0 && percent(r.Speed) != 100 && slices.Contains(offers, audio.WAV) {
			f = audio.WAV
		}
	}
	if slices.Contains(offers, f) {
		return f, nil
	}
	var list []string
	for _, o := range offers {
		list = append(list, string(o))
	}
	why := "cannot be had from %s"
	if slices.Contains(t.Offers(m), f) {
		why = "cannot be had from %s for a text of more than " + strconv.Itoa(m.MaxChars) + " characters"
	}
	return "", fault.Invalidf("format", "unsupported_format", "%.32q "+why, r.Format, m.Name).WithHint("it gives " + strings.Join(list, ", "))
}

func percent(speed float64) int { return int(math.Round(speed * 100)) }

// speed is in percent. No model has a choice of it, so the sound is stretched, which takes samples.
func speed(asked float64, f audio.Format) (int, error) {
	if asked == 0 {
		return 100, nil
	}
	p := percent(asked)
	switch {
	case math.IsNaN(asked) || asked < MinSpeed/100. || asked > MaxSpeed/100.:
		return 0, fault.Invalidf("speed", "value_out_of_range", "%v is not 0.25 to 4", asked)
	case p != 100 && f != audio.WAV:
		return 0, fault.Invalidf("speed", "speed_unsupported", "the speed of %s cannot be changed", f).WithHint("ask for the format wav, or for the speed 1")
	}
	return p, nil
}

func checkText(text string) error {
	switch {
	case !Sayable(text):
		return fault.Invalidf("text", "text_required", "has nothing that can be spoken")
	case !utf8.ValidString(text):
		return fault.Invalidf("text", "invalid_value", "is no UTF-8")
	}
	if n := utf8.RuneCountInString(text); n > MaxText {
		return fault.Invalidf("text", "text_too_long", "has %d characters; %d are taken", n, MaxText)
	}
	return nil
}

// Sayable reports whether there is a letter or a digit in a text, of any script.
func Sayable(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) })
}
