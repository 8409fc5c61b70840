package events

import (
	"strings"
	"time"

	"levada.dev/events/fault"
)

// TypeLettersReplayed is the type of the fact about dead letters that were sent again.
const TypeLettersReplayed = "dev.levada.letters.replayed.v1"

// LettersReplayed says that somebody had dead letters sent again, and which.
type LettersReplayed struct {
	Query   LetterQuery `json:"query"`   // that was asked for
	Letters []string    `json:"letters"` // their ids
	Count   int         `json:"count"`
	By      string      `json:"by,omitempty"` // the name of the API key; none where the door is open
}

// LetterQuery says which letters were meant. What is not there means any.
type LetterQuery struct {
	Types  []string  `json:"types,omitempty"`
	Codes  []string  `json:"codes,omitempty"`
	Stages []string  `json:"stages,omitempty"`
	IDs    []string  `json:"ids,omitempty"`
	DocID  string    `json:"docId,omitempty"`
	From   time.Time `json:"from,omitzero"`
	To     time.Time `json:"to,omitzero"` // not included
}

// Type implements Fact.
func (LettersReplayed) Type() string { return TypeLettersReplayed }

// Subject implements Fact.
func (LettersReplayed) Subject() string { return "letters" }

// Identity implements Fact.
func (f LettersReplayed) Identity() string { return strings.Join(f.Letters, " ") }

// Check implements Fact.
func (f LettersReplayed) Check() error {
	switch {
	case len(f.Letters) == 0:
		return fault.Invalidf("letters", "fact_invalid", "is empty")
	case f.Count != len(f.Letters):
		return fault.Invalidf("count", "fact_invalid", "%d is not how many letters there are", f.Count)
	}
	return nil
}
