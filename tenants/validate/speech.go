package validate

import (
	"maps"
	"slices"
	"strings"

	"levada.dev/tenants"
)

// checkSpeech holds the names of a tenant's models and voices against those there are, and refuses private networks in production.
func (s *set) checkSpeech(m member, r Rules) {
	c := m.config.Speech
	for path, w := range map[string]*tenants.Hook{"speech.webhook": c.Webhook, "webhook": m.config.Webhook} {
		if r.Env == Prod && w != nil && w.Private {
			s.add(m.file, path+".private", "leave it out", "calling private networks is refused in the environment %s", Prod)
		}
	}
	if r.Voices == nil {
		return
	}
	known := slices.Sorted(maps.Keys(r.Voices))
	speaks := func(model string) bool { return model != "" && model != tenants.NoSpeech }
	for _, at := range []struct{ path, model string }{{"speech.model", c.Model}, {"speech.fallback", c.Fallback}} {
		if speaks(at.model) {
			s.checkModel(m.file, at.path, at.model, "model that speaks", known)
		}
	}
	own := r.Voices[c.Model]
	if c.Voice != "" && own != nil {
		s.checkVoice(m.file, "speech.voice", c.Voice, c.Model, own)
	}
	both := slices.Concat(own, r.Voices[c.Fallback])
	if len(both) == 0 {
		return // no model, or one that there is not, which was said
	}
	for _, name := range slices.Sorted(maps.Keys(c.Voices)) {
		s.checkVoice(m.file, join("speech.voices", name), c.Voices[name], "speech.model and speech.fallback", both)
	}
}

// checkVoice holds the name of a voice against those there are.
func (s *set) checkVoice(file, path, voice, of string, known []string) {
	if slices.Contains(known, voice) || s.has(file, path) {
		return
	}
	hint := "one of " + strings.Join(known, ", ")
	if best, ok := tenants.Closest(voice, known); ok {
		hint = "did you mean \"" + best + "\"?"
	}
	s.add(file, path, hint, "%q is not a voice of %s", voice, of)
}
