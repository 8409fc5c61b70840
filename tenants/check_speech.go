package tenants

import (
	"maps"
	"slices"
)

// The bounds of speech. tenant.schema.json repeats them.
const (
	MaxKeepDays   = 365
	maxVoices     = 64
	maxVoiceChars = 32

	defaultKeepDays = 7
)

// speechFormats are those that a tenant may ask for; which of them a model gives is workflows/speech's to say.
var speechFormats = []string{"mp3", "wav", "opus"}

const voiceHint = "a small letter first, then small letters, digits and hyphens, 32 at most"

func (c *Config) speechDefaults() {
	setDefault(&c.Speech.KeepDays, defaultKeepDays)
}

// speechProblems checks what needs no list of models, which tenants/validate has.
func (c *Config) speechProblems(ps *Problems) {
	s := c.Speech
	if s.Model != "" && s.Model != NoSpeech && !isModel(s.Model) {
		ps.add("speech.model", "such as @cf/deepgram/aura-1, or none", "%.40q is not the name of a model", s.Model)
	}
	switch {
	case s.Fallback == "":
	case !isModel(s.Fallback):
		ps.add("speech.fallback", "such as @cf/deepgram/aura-1; leave it out for none", "%.40q is not the name of a model", s.Fallback)
	case s.Model == "" || s.Model == NoSpeech:
		ps.add("speech.fallback", "name the model that it stands in for in speech.model", "stands in for none")
	case s.Fallback == s.Model:
		ps.add("speech.fallback", "name another, or leave it out", "is speech.model itself")
	}
	if s.Voice != "" && !isVoice(s.Voice) {
		ps.add("speech.voice", voiceHint, "%.40q is not the name of a voice", s.Voice)
	}
	if len(s.Voices) > maxVoices {
		ps.add("speech.voices", "", "has %d names, more than %d", len(s.Voices), maxVoices)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Voices)) {
		at := join("speech.voices", name)
		switch {
		case !isVoice(name):
			ps.add(at, voiceHint, "%.40q cannot stand for a voice", name)
		case !isVoice(s.Voices[name]):
			ps.add(at, voiceHint, "%.40q is not the name of a voice", s.Voices[name])
		}
	}
	if s.Format != "" && !slices.Contains(speechFormats, s.Format) {
		ps.add("speech.format", didYouMean(s.Format, speechFormats), "%.20q is not a format of sound", s.Format)
	}
	between(ps, "speech.keepDays", int64(s.KeepDays), MaxKeepDays)
}

// isVoice reports whether s is a name as voices have it.
func isVoice(s string) bool {
	return len(s) <= maxVoiceChars && s != "" && s[0] >= 'a' && s[0] <= 'z' && consistsOf(s, "-", false)
}
