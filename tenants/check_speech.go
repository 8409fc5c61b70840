package tenants

import (
	"fmt"
	"maps"
	"slices"
	"strings"
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
	if s.Webhook != nil {
		c.speechWebhookProblems(ps)
	}
}

// isVoice reports whether s is a name as voices have it.
func isVoice(s string) bool {
	return len(s) <= maxVoiceChars && s != "" && s[0] >= 'a' && s[0] <= 'z' && consistsOf(s, "-", false)
}

func (c *Config) speechWebhookProblems(ps *Problems) {
	w, at := c.Speech.Webhook, "speech.webhook"
	switch {
	case w.URL == "":
		ps.add(at+".url", "", "is required")
	case !isURL(w.URL) || strings.Contains(w.URL, "#"):
		ps.add(at+".url", "such as https://app.example.com/hooks/levada", "%.80q is not an address that can be called", w.URL)
	case !strings.HasPrefix(w.URL, "https://") && !w.Private:
		ps.add(at+".url", `"private": true opens http on the local platform`, "is not https")
	}
	list(ps, at+".secrets", w.Secrets, MaxSecrets, isID, "the name of a secret: "+idHint)
	if len(w.Secrets) == 0 {
		ps.add(at+".secrets", `name at least one, such as "speech-1"`, "is required")
	}
	for i, name := range w.Secrets {
		c.speechSecretProblem(ps, fmt.Sprintf("%s.secrets[%d]", at, i), name)
	}
}

// speechSecretProblem refuses a secret that somebody else has: whoever receives what we sign could sign as a source, or as who calls a tool.
func (c *Config) speechSecretProblem(ps *Problems, path, name string) {
	const hint = "give what is sent a secret of its own"
	for _, s := range c.Sources {
		if s.Webhook != nil && slices.Contains(s.Webhook.Secrets, name) {
			ps.add(path, hint, "%q is a secret of the source %q", name, s.ID)
			return
		}
	}
	for _, t := range c.Tools.HTTP {
		if t.Auth != nil && t.Auth.Secret == name {
			ps.add(path, hint, "%q is the secret of the tool %q", name, t.Name)
			return
		}
	}
}
