package book

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/job"
	"levada.dev/workflows/speech"
)

// worker is the object's name in the source of its events.
const worker = "speech"

// Book decides. It is safe for concurrent use as far as the rows it is given are.
type Book struct{ now func() time.Time }

// New makes a book that tells the time by now.
func New(now func() time.Time) *Book { return &Book{now: now} }

// The rows of the book, by what their keys begin with; the outbox has its own.
const (
	jobPrefix     = "j/"
	takePrefix    = "t/"
	textPrefix    = "b/"
	cutsPrefix    = "c/"
	tapePrefix    = "p/"
	memberPrefix  = "a/"
	waitingPrefix = "w/"
	garbagePrefix = "g/"
	forgetPrefix  = "f/"
	receiptPrefix = "i/"
	roomKey       = "room"
)

// end comes after every digit, and after every job's id.
const (
	end     = ":"
	jobsEnd = "j0"
)

// state is where a take stands.
type state string

const (
	waiting   state = "waiting" // for its turn
	making    state = "making"  // it is in the queue, or somebody makes it
	succeeded state = "succeeded"
	failed    state = "failed"
	cancelled state = "cancelled"
)

// take is the row of a take. Times are Unix milliseconds.
type take struct {
	digest string // these two are in its key
	number int

	State  state        `json:"s"`
	Order  speech.Order `json:"o"` // without its text
	Chars  int          `json:"ch"`
	Cuts   int          `json:"n"`
	Few    []speech.Cut `json:"c,omitempty"` // the cuts, if they are few
	Reel   string       `json:"r"`
	Keep   int64        `json:"k"`           // the longest of its jobs
	Jobs   int          `json:"j"`           // that were not cancelled
	Place  int64        `json:"w,omitempty"` // its number while it waits
	Claim  int          `json:"cl,omitempty"`
	Direct string       `json:"d,omitempty"` // the job for which it is spoken directly
	Cause  events.Cause `json:"ca"`

	Opened int64 `json:"at"`
	News   int64 `json:"nw"`           // when it was let in, told again, or claimed
	Try    int   `json:"t,omitempty"`  // how often it was told again,
	Silent int   `json:"si,omitempty"` // how often without any part since,
	Heard  int   `json:"h,omitempty"`  // and how many parts there were then;
	Asked  int   `json:"as,omitempty"` // its Claim when it was last told again,
	Queued int   `json:"qu,omitempty"` // and how often nobody had claimed it since

	Ended  int64        `json:"e,omitempty"`
	Spoken int          `json:"sp,omitempty"` // when it ended, like what follows
	Cost   speech.Cost  `json:"co,omitzero"`
	Error  *job.Problem `json:"er,omitempty"`
	Due    int64        `json:"du,omitempty"` // when what was spoken is removed,
	Later  int64        `json:"dl,omitempty"` // or, as that has failed, when it is tried again
	Forget int64        `json:"f,omitempty"`  // when it is forgotten, once that is known
}

// jobRow is the row of a job.
type jobRow struct {
	Take      string `json:"t"`
	Opened    int64  `json:"at"`
	Shared    bool   `json:"s,omitempty"`
	Cancelled int64  `json:"x,omitempty"`
}

// forget is when a job is forgotten that was cancelled.
func (j jobRow) forget() int64 { return j.Cancelled + speech.Life.Milliseconds() }

// tapeRow is the row of what was spoken of a take.
type tapeRow struct {
	News   int64       `json:"nw"`
	Spoken int         `json:"sp"` // characters
	Cost   speech.Cost `json:"co"` // of this take: what it went on with is paid
	Tape   speech.Tape `json:"t"`
}

func (t *take) id() string { return t.digest + "-" + strconv.Itoa(t.number) }

func (t *take) key() string { return takeKey(t.digest, t.number) }

// live reports whether the take may still be made.
func (t *take) live() bool { return t.State == waiting || t.State == making }

// kept reports whether what was spoken of a take that has ended is there, and will be for a while.
func (t *take) kept(now int64) bool {
	return (t.State == succeeded || t.State == failed) && now < t.Due
}

// garbage is the key of the row that says when what was spoken is removed.
func (t *take) garbage() string { return garbageKey(max(t.Due, t.Later), t.id()) }

func (t *take) ref() events.SpeechRef {
	return events.SpeechRef{Take: t.id(), Model: t.Order.Model, Voice: t.Order.Voice, Format: string(t.Order.Format), Characters: t.Chars}
}

func takeKey(digest string, number int) string {
	return takePrefix + digest + "/" + fmt.Sprintf("%09d", number)
}

func memberKey(takeID, jobID string) string { return memberPrefix + takeID + "/" + jobID }

func placeKey(place int64) string { return waitingPrefix + fmt.Sprintf("%015d", place) }

func garbageKey(ms int64, takeID string) string { return garbagePrefix + digits(ms) + "/" + takeID }

func forgetKey(ms int64, id string) string { return forgetPrefix + digits(ms) + "/" + id }

func digits(ms int64) string { return fmt.Sprintf("%013d", ms) }

// timed is the time and the id in a key of garbagePrefix or forgetPrefix.
func timed(key string) (ms int64, id string) {
	_, rest, _ := strings.Cut(key, "/")
	when, id, _ := strings.Cut(rest, "/")
	ms, _ = strconv.ParseInt(when, 10, 64) // of our own making
	return ms, id
}

// findTake is the take of an id; nil when there is none.
func findTake(tx rows.Tx, id string) (*take, error) {
	digest, n, _ := strings.Cut(id, "-")
	number, err := strconv.Atoi(n)
	if err != nil || number < 1 || n != strconv.Itoa(number) {
		return nil, nil
	}
	t := take{digest: digest, number: number}
	found, err := rows.Read(tx, t.key(), &t)
	if err != nil || !found {
		return nil, err
	}
	return &t, nil
}

// findJob is a job and its take.
func findJob(tx rows.Tx, id string) (j jobRow, t *take, err error) {
	found, err := rows.Read(tx, jobPrefix+id, &j)
	if err != nil {
		return j, nil, err
	}
	if found {
		t, err = findTake(tx, j.Take)
	}
	if err == nil && t == nil {
		err = fault.Missing("job_not_found", "no job %.64q", id)
	}
	return j, t, err
}

// cuts are where the text of a take is cut.
func cuts(tx rows.Tx, t *take) ([]speech.Cut, error) {
	if t.Few != nil {
		return t.Few, nil
	}
	var all []speech.Cut
	_, err := rows.Read(tx, cutsPrefix+t.id(), &all)
	return all, err
}

// tapeOf is what was spoken of a take.
func tapeOf(tx rows.Tx, t *take) (row tapeRow, err error) {
	row.Tape = speech.Tape{Reel: t.Reel, Cuts: t.Cuts}
	_, err = rows.Read(tx, tapePrefix+t.id(), &row)
	return row, err
}

// change is one call that changes something.
type change struct {
	tx   rows.Tx
	s    tenants.Scope
	at   time.Time
	now  int64
	room *room // nil before it is asked for
}

func (b *Book) begin(tx rows.Tx, s tenants.Scope) *change {
	at := b.now()
	return &change{tx: tx, s: s, at: at, now: at.UnixMilli()}
}

// write writes the row of a take.
func (c *change) write(t *take) error { return rows.Write(c.tx, t.key(), t) }

// put puts a row that says all by its key.
func (c *change) put(key string) error {
	if err := c.tx.Put(key, []byte{}); err != nil {
		return fmt.Errorf("speech: put: %w", err)
	}
	return nil
}

func (c *change) remove(keys ...string) error {
	for _, key := range keys {
		if err := c.tx.Delete(key); err != nil {
			return fmt.Errorf("speech: delete: %w", err)
		}
	}
	return nil
}
