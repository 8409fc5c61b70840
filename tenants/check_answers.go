package tenants

import (
	"slices"
	"unicode/utf8"
)

const (
	// DefaultThreshold is the confidence, in percent, below which there is no answer. docs/design/search.md has what it was chosen by.
	DefaultThreshold = 40
	maxUnknownChars  = 500
	maxLanguageChars = 40
)

func (c *Config) answerDefaults() {
	setDefault(&c.Answers.Prompt, DefaultPrompt)
	setDefault(&c.Answers.Threshold, DefaultThreshold)
	setDefault(&c.Answers.Unsupported, UnsupportedMark)
}

func (c *Config) answerProblems(ps *Problems) {
	a := c.Answers
	if !isPrompt(a.Prompt) {
		ps.add("answers.prompt", "such as "+DefaultPrompt, "%.64q is not the name of a prompt and its version", a.Prompt)
	}
	between(ps, "answers.threshold", int64(a.Threshold), 99)
	ways := []Unsupported{UnsupportedMark, UnsupportedDrop}
	if !slices.Contains(ways, a.Unsupported) {
		ps.add("answers.unsupported", didYouMean(string(a.Unsupported), ways), "%.40q is neither mark nor drop", a.Unsupported)
	}
	if n := utf8.RuneCountInString(a.Language); n > maxLanguageChars {
		ps.add("answers.language", "", "is %d characters long, above %d", n, maxLanguageChars)
	}
	if n := utf8.RuneCountInString(a.Unknown); n > maxUnknownChars {
		ps.add("answers.unknown", "", "is %d characters long, above %d", n, maxUnknownChars)
	}
}
