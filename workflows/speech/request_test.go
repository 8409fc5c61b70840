package speech_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/audio"
)

const (
	aura = "@cf/deepgram/aura-2-en"
	melo = "@cf/myshell-ai/melotts"
)

func terms() speech.Terms {
	return speech.Terms{Speech: tenants.Speech{
		Enabled: true, Model: aura, Fallback: melo, Voice: "thalia", Format: "mp3", Voices: map[string]string{"alloy": "zeus", "boss": "mars", "senior": "es"},
	}}
}

func TestOrder(t *testing.T) {
	only := terms()
	only.Formats = []audio.Format{audio.WAV}
	for name, c := range map[string]struct {
		terms   speech.Terms
		request speech.Request
		want    speech.Order
	}{
		"the tenant's choices":  {terms(), speech.Request{}, speech.Order{Model: aura, Voice: "thalia", Format: audio.MP3, Speed: 100}},
		"its own alias":         {terms(), speech.Request{Voice: "boss"}, speech.Order{Model: aura, Voice: "mars", Format: audio.MP3, Speed: 100}},
		"OpenAI's, replaced":    {terms(), speech.Request{Voice: "alloy", Model: "tts-1"}, speech.Order{Model: aura, Voice: "zeus", Format: audio.MP3, Speed: 100}},
		"OpenAI's":              {terms(), speech.Request{Voice: "ash", Model: "default"}, speech.Order{Model: aura, Voice: "amalthea", Format: audio.MP3, Speed: 100}},
		"the model's own":       {terms(), speech.Request{Voice: "zeus", Format: "wav"}, speech.Order{Model: aura, Voice: "zeus", Format: audio.WAV, Speed: 100}},
		"the fallback by name":  {terms(), speech.Request{Model: melo, Voice: "senior"}, speech.Order{Model: melo, Voice: "es", Format: audio.WAV, Speed: 100}},
		"what can be stretched": {terms(), speech.Request{Speed: 1.25}, speech.Order{Model: aura, Voice: "thalia", Format: audio.WAV, Speed: 125}},
		"its own speed, said":   {terms(), speech.Request{Speed: 1, Format: "mp3"}, speech.Order{Model: aura, Voice: "thalia", Format: audio.MP3, Speed: 100}},
		"what the voices give":  {only, speech.Request{}, speech.Order{Model: aura, Voice: "thalia", Format: audio.WAV, Speed: 100}},
		"short, so in one part": {terms(), speech.Request{Format: "opus"}, speech.Order{Model: aura, Voice: "thalia", Format: audio.Opus, Speed: 100}},
	} {
		t.Run(name, func(t *testing.T) {
			c.request.Text, c.want.Text = "Water flows.", "Water flows."
			got, err := c.terms.Order(c.request)
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
}

func TestOrdersThatCannotBe(t *testing.T) {
	off, none, named, only := terms(), terms(), terms(), terms()
	off.Speech.Enabled = false
	none.Speech.Model = ""
	named.Speech.Model = tenants.NoSpeech
	only.Formats = []audio.Format{audio.WAV}
	for name, c := range map[string]struct {
		terms       speech.Terms
		request     speech.Request
		field, code string
	}{
		"off":                   {off, speech.Request{Text: "a"}, "", "tts_not_enabled"},
		"nobody speaks":         {none, speech.Request{Text: "a"}, "", "tts_not_configured"},
		"nobody, by name":       {named, speech.Request{Text: "a"}, "", "tts_not_configured"},
		"empty":                 {terms(), speech.Request{}, "text", "text_required"},
		"nothing to speak":      {terms(), speech.Request{Text: " \n… !? —"}, "text", "text_required"},
		"too long":              {terms(), speech.Request{Text: strings.Repeat("ä", speech.MaxText+1)}, "text", "text_too_long"},
		"an unknown voice":      {terms(), speech.Request{Text: "a", Voice: "Thalia"}, "voice", "voice_unknown"},
		"another model's voice": {terms(), speech.Request{Text: "a", Voice: "es"}, "voice", "voice_unknown"},
		"an alias of another":   {terms(), speech.Request{Text: "a", Voice: "senior"}, "voice", "voice_unknown"},
		"an unknown model":      {terms(), speech.Request{Text: "a", Model: "tts-9"}, "model", "model_unknown"},
		"a model not allowed":   {terms(), speech.Request{Text: "a", Model: "@cf/deepgram/aura-1"}, "model", "model_not_allowed"},
		"an unknown format":     {terms(), speech.Request{Text: "a", Format: "midi"}, "format", "unsupported_format"},
		"not this model's":      {terms(), speech.Request{Text: "a", Model: melo, Format: "mp3"}, "format", "unsupported_format"},
		"not the voices'":       {only, speech.Request{Text: "a", Format: "mp3"}, "format", "unsupported_format"},
		"Ogg in parts":          {terms(), speech.Request{Text: strings.Repeat("a", 2001), Format: "opus"}, "format", "unsupported_format"},
		"too slow":              {terms(), speech.Request{Text: "a", Speed: 0.2}, "speed", "value_out_of_range"},
		"too fast":              {terms(), speech.Request{Text: "a", Speed: 4.1}, "speed", "value_out_of_range"},
		"just too slow":         {terms(), speech.Request{Text: "a", Speed: 0.249}, "speed", "value_out_of_range"},
		"just too fast":         {terms(), speech.Request{Text: "a", Speed: 4.001}, "speed", "value_out_of_range"},
		"backwards":             {terms(), speech.Request{Text: "a", Speed: -1}, "speed", "value_out_of_range"},
		"no number":             {terms(), speech.Request{Text: "a", Speed: math.NaN()}, "speed", "value_out_of_range"},
		"a speed without end":   {terms(), speech.Request{Text: "a", Speed: math.Inf(1)}, "speed", "value_out_of_range"},
		"a speed of no samples": {terms(), speech.Request{Text: "a", Format: "mp3", Speed: 2}, "speed", "speed_unsupported"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.terms.Order(c.request)
			f := fault.As(err)
			assert.Equal(t, []string{c.field, c.code}, []string{f.Field, f.Code}, "%v", err)
			assert.False(t, fault.Retryable(err))
		})
	}
	_, err := terms().Order(speech.Request{Text: strings.Repeat("ä", speech.MaxText)})
	assert.NoError(t, err, "200,000 characters, not bytes")
}

func TestDigest(t *testing.T) {
	o := speech.Order{Text: "a", Model: aura, Voice: "zeus", Format: audio.WAV, Speed: 100}
	seen := map[string]bool{o.Digest(): true}
	for _, change := range []func(*speech.Order){
		func(o *speech.Order) { o.Text = "b" }, func(o *speech.Order) { o.Model = melo }, func(o *speech.Order) { o.Voice = "mars" },
		func(o *speech.Order) { o.Format = audio.MP3 }, func(o *speech.Order) { o.Speed = 101 },
		func(o *speech.Order) { o.Voice, o.Format = "zeusw", "av" },
	} {
		other := o
		change(&other)
		assert.False(t, seen[other.Digest()], "%+v", other)
		seen[other.Digest()] = true
	}
	assert.Equal(t, o.Digest(), speech.Order{Text: "a", Model: aura, Voice: "zeus", Format: audio.WAV, Speed: 100}.Digest())
}

func TestEveryModel(t *testing.T) {
	for _, m := range speech.Models() {
		assert.NotEmpty(t, m.Voices, m.Name)
		assert.NotEmpty(t, m.Formats, m.Name)
		assert.Positive(t, m.Bound(100), m.Name)
		assert.GreaterOrEqual(t, m.Bound(100), m.Price(100, 20e9), m.Name)
		_, err := speech.Terms{Speech: tenants.Speech{Enabled: true, Model: m.Name}}.Order(speech.Request{Text: "a", Voice: "shimmer"})
		assert.NoError(t, err, "%s: OpenAI's names mean a voice of every model", m.Name)
	}
}
