package letters

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"levada.dev/tenants"
)

// Letter is a message that nobody could handle, with why.
type Letter struct {
	ID          string     `json:"id"` // NewID of its queue and message: the same message is the same letter
	Queue       string     `json:"queue"`
	Tenant      tenants.ID `json:"tenant,omitempty"` // empty when the message could not be read
	Handler     string     `json:"handler,omitempty"`
	Stage       string     `json:"stage,omitempty"` // of the document that it was about; empty when none depends on it
	DocID       string     `json:"docId,omitempty"`
	Generation  int        `json:"generation,omitempty"` // 0 when nothing says which it was
	EventID     string     `json:"eventId,omitempty"`
	Type        string     `json:"type,omitempty"`
	Subject     string     `json:"subject,omitempty"`
	TraceParent string     `json:"traceparent,omitempty"`
	Code        string     `json:"code"`
	Message     string     `json:"message"` // for whoever asks about the document
	Reason      string     `json:"reason"`  // for operators, with the cause
	Attempts    int        `json:"attempts"`
	At          time.Time  `json:"at"`
	Replayed    time.Time  `json:"replayedAt,omitzero"`
	Body        []byte     `json:"body,omitempty"` // as it was delivered, to be sent again
}

// NewID names the letter of a queue's message. It can stand in a path as it is, and begins with the queue, for people.
func NewID(queue, message string) string {
	sum := sha256.Sum256([]byte(queue + "\x00" + message))
	return queue + "-" + hex.EncodeToString(sum[:12])
}

// Stages are those that a letter may have.
var Stages = []string{"fetch", "chunk", "embed", "index", "retire", "erase"}

// OfDocument reports whether what the ledger does with a document has failed with the message. The ledger begins that anew when
// the letter is replayed; any other message is sent again as it was.
func (l *Letter) OfDocument() bool { return l.Stage != "" }

const (
	// Life is for how long a letter is kept.
	Life = 30 * 24 * time.Hour
	// MaxPage is how many letters one page has at most.
	MaxPage = 100
)
