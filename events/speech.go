package events

import (
	"slices"
	"strconv"

	"levada.dev/events/fault"
)

// Types of the facts about speech.
const (
	TypeSpeechRequested   = "dev.levada.speech.requested.v1"
	TypeSpeechSynthesized = "dev.levada.speech.synthesized.v1"
	TypeSpeechFailed      = "dev.levada.speech.failed.v1"
)

// SpeechRef names a take: what equal requests of a tenant share.
type SpeechRef struct {
	Take       string `json:"take"`
	Model      string `json:"model"`
	Voice      string `json:"voice"`
	Format     string `json:"format"`
	Characters int    `json:"characters"`
}

// Subject is the CloudEvents subject of every fact about the take.
func (r SpeechRef) Subject() string { return "speech/" + r.Take }

func (r SpeechRef) check() error {
	switch {
	case r.Take == "":
		return fault.Invalidf("take", "fact_invalid", "is required")
	case r.Model == "":
		return fault.Invalidf("model", "fact_invalid", "is required")
	case r.Voice == "":
		return fault.Invalidf("voice", "fact_invalid", "is required")
	case r.Format == "":
		return fault.Invalidf("format", "fact_invalid", "is required")
	case r.Characters < 1:
		return fault.Invalidf("characters", "fact_invalid", "%d is below 1", r.Characters)
	}
	return nil
}

// SpeechRequested says that a text is to be spoken. The text is where the take is.
type SpeechRequested struct {
	SpeechRef
	Parts int `json:"parts"`         // that the text was cut into
	Try   int `json:"try,omitempty"` // how often it was asked for before, and nobody was heard of
}

// Type implements Fact.
func (SpeechRequested) Type() string { return TypeSpeechRequested }

// Identity implements Fact.
func (f SpeechRequested) Identity() string {
	if f.Try == 0 {
		return f.Take
	}
	return f.Take + "." + strconv.Itoa(f.Try)
}

// Check implements Fact.
func (f SpeechRequested) Check() error {
	switch {
	case f.Parts < 1:
		return fault.Invalidf("parts", "fact_invalid", "%d is below 1", f.Parts)
	case f.Try < 0:
		return fault.Invalidf("try", "fact_invalid", "%d is below 0", f.Try)
	}
	return f.SpeechRef.check()
}

// SpeechSynthesized says that a text was spoken, and which jobs waited for it.
type SpeechSynthesized struct {
	SpeechRef
	Jobs       []string `json:"jobs"`
	Bytes      int64    `json:"bytes"`
	DurationMS int64    `json:"durationMs"`
	CostNanos  int64    `json:"costNanos,omitempty"` // billionths of a US dollar; none for jobs of a take that was there, and in one of several events about a take
}

// Type implements Fact.
func (SpeechSynthesized) Type() string { return TypeSpeechSynthesized }

// Identity implements Fact.
func (f SpeechSynthesized) Identity() string { return f.Take + "." + first(f.Jobs) }

// Check implements Fact.
func (f SpeechSynthesized) Check() error {
	switch {
	case len(f.Jobs) == 0 || slices.Contains(f.Jobs, ""):
		return fault.Invalidf("jobs", "fact_invalid", "is required, and so is what is in it")
	case f.Bytes < 1:
		return fault.Invalidf("bytes", "fact_invalid", "%d is below 1", f.Bytes)
	case f.DurationMS < 0:
		return fault.Invalidf("durationMs", "fact_invalid", "%d is below 0", f.DurationMS)
	case f.CostNanos < 0:
		return fault.Invalidf("costNanos", "fact_invalid", "%d is below 0", f.CostNanos)
	}
	return f.SpeechRef.check()
}

// SpeechFailed says that a text will not be spoken, and which jobs waited for it.
type SpeechFailed struct {
	SpeechRef
	Jobs    []string `json:"jobs"`
	Code    string   `json:"code"`
	Message string   `json:"message,omitempty"`
}

// Type implements Fact.
func (SpeechFailed) Type() string { return TypeSpeechFailed }

// Identity implements Fact.
func (f SpeechFailed) Identity() string { return f.Take + "." + first(f.Jobs) }

// Check implements Fact.
func (f SpeechFailed) Check() error {
	switch {
	case len(f.Jobs) == 0 || slices.Contains(f.Jobs, ""):
		return fault.Invalidf("jobs", "fact_invalid", "is required, and so is what is in it")
	case f.Code == "":
		return fault.Invalidf("code", "fact_invalid", "is required")
	}
	return f.SpeechRef.check()
}

func first(jobs []string) string {
	if len(jobs) == 0 {
		return ""
	}
	return jobs[0]
}
