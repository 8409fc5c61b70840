package validate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"levada.dev/tenants"
)

// checkSpeech holds the names of a tenant's models and voices against those there are, and refuses private networks in production.
func (s *set) checkSpeech(m member, r Rules) {
	c := m.config.Speech
	for _, w := range m.config.Hooks() {
		if r.Env == Prod && w.Private {
			s.add(m.file, w.Path+".private", "leave it out", "calling private networks is refused in the environment %s", Prod)
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
	s.checkFallback(m, r)
	both := slices.Concat(own, r.Voices[c.Fallback])
	if len(both) == 0 {
		return // no model, or one that there is not, which was said
	}
	for _, name := range slices.Sorted(maps.Keys(c.Voices)) {
		s.checkVoice(m.file, join("speech.voices", name), c.Voices[name], "speech.model and speech.fallback", both)
	}
}

// checkFallback refuses a fallback that never speaks what names no format: it would be found out when the model does not answer.
func (s *set) checkFallback(m member, r Rules) {
	c := m.config.Speech
	own, others := r.Formats[c.Model], r.Formats[c.Fallback]
	if len(own) == 0 || len(others) == 0 {
		return
	}
	format := own[0]
	if slices.Contains(own, c.Format) {
		format = c.Format
	}
	if slices.Contains(others, format) {
		return
	}
	hint := "name a fallback that gives " + format
	if i := slices.IndexFunc(own, func(f string) bool { return slices.Contains(others, f) }); i >= 0 {
		hint = fmt.Sprintf("set speech.format to %q, which both give", own[i])
	}
	s.add(m.file, "speech.fallback", hint, "%s gives no %s, which is what %s speaks when a request names no format", c.Fallback, format, c.Model)
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
