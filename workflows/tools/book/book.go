package book

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/tools/keep"
)

// Book decides. It is safe for concurrent use as far as the rows it is given are.
type Book struct{ now func() time.Time }

// New makes a book that tells the time by now.
func New(now func() time.Time) *Book { return &Book{now: now} }

// The rows of the book, by what their keys begin with.
const (
	callPrefix   = "c/" // <key>: the call
	resultPrefix = "r/" // <number>/<piece>: a part of a result
	expiryPrefix = "x/" // <time>/<key>: when the call is forgotten
	numberKey    = "n"  // how many calls there were
)

const (
	// maxKey is the longest key, in bytes.
	maxKey = 1_000
	// pieceBytes is how much of a result one row has; SQLite's rows have 2 MB at most.
	// https://developers.cloudflare.com/durable-objects/platform/limits/
	pieceBytes = 1_000_000
	// maxBytes is the longest result as it comes here: with what is around its data, and < > & written as six characters.
	maxBytes = 2 * keep.MaxResultBytes
)

// kept is the row of a call.
type kept struct {
	ID      string `json:"id"`
	Hash    string `json:"hash"`
	Number  int64  `json:"number"`           // names its result's rows
	Lease   int    `json:"lease"`            // which beginning it is
	Until   int64  `json:"until"`            // when the lease is over, in ms; 0 when it has lapsed
	Pieces  int    `json:"pieces,omitempty"` // of its result; 0 as long as it has none
	Expires int64  `json:"expires"`          // when it is forgotten, in ms
}

func digits(ms int64) string { return fmt.Sprintf("%013d", ms) }

func expiryKey(ms int64, key string) string { return expiryPrefix + digits(ms) + "/" + key }

func pieceKey(number int64, piece int) string {
	return resultPrefix + strconv.FormatInt(number, 10) + "/" + strconv.Itoa(piece)
}

// Begin implements keep.Calls.
func (b *Book) Begin(tx rows.Tx, o keep.Opening) (keep.Begun, error) {
	switch {
	case o.Key == "" || len(o.Key) > maxKey:
		return keep.Begun{}, fault.Invalidf("key", "idempotency_key_invalid", "is not 1 to %d bytes long", maxKey)
	case o.ID == "" || o.Hash == "" || o.Lease <= 0:
		return keep.Begun{}, fault.Invalidf("id", "call_invalid", "id, hash and lease are required")
	}
	now := b.now().UnixMilli()
	c, found, err := read(tx, o.Key)
	switch {
	case err != nil:
		return keep.Begun{}, err
	case found && c.Expires <= now:
		if err := remove(tx, o.Key, c); err != nil {
			return keep.Begun{}, err
		}
		found = false
	}
	if !found {
		if c, err = b.first(tx, o); err != nil {
			return keep.Begun{}, err
		}
	} else if c.Hash != o.Hash {
		return keep.Begun{}, fault.New(fault.Conflict, "idempotency_conflict", "the key belongs to another call", nil).WithHint("use a new key for a new call")
	} else if c.Pieces > 0 {
		return replay(tx, c)
	} else if c.Until > now {
		wait := time.Duration(c.Until-now) * time.Millisecond
		return keep.Begun{}, fault.New(fault.Conflict, keep.CodeRunning, "the call with this key has not ended yet", nil).
			WithHint("ask again with the same key").WithRetryAfter(min(wait, time.Second))
	} else if err := tx.Delete(expiryKey(c.Expires, o.Key)); err != nil {
		return keep.Begun{}, fmt.Errorf("calls: delete: %w", err)
	}
	c.Lease++
	c.Until = now + o.Lease.Milliseconds()
	c.Expires = c.Until + keep.ResultLife.Milliseconds()
	if err := tx.Put(expiryKey(c.Expires, o.Key), []byte{}); err != nil {
		return keep.Begun{}, fmt.Errorf("calls: put: %w", err)
	}
	return keep.Begun{ID: c.ID, Lease: c.Lease}, rows.Write(tx, callPrefix+o.Key, c)
}

// first is the call of a key that nobody has used.
func (b *Book) first(tx rows.Tx, o keep.Opening) (kept, error) {
	var n int64
	if _, err := rows.Read(tx, numberKey, &n); err != nil {
		return kept{}, err
	}
	n++
	return kept{ID: o.ID, Hash: o.Hash, Number: n}, rows.Write(tx, numberKey, n)
}

// replay is the result that a call had.
func replay(tx rows.Tx, c kept) (keep.Begun, error) {
	keys := make([]string, c.Pieces)
	for i := range keys {
		keys[i] = pieceKey(c.Number, i)
	}
	pieces, err := rows.GetAll(tx, keys)
	if err != nil {
		return keep.Begun{}, err
	}
	var text []byte
	for _, p := range pieces {
		text = append(text, p...)
	}
	var r keep.Result
	if err := json.Unmarshal(text, &r); err != nil {
		return keep.Begun{}, fmt.Errorf("calls: result: %w", err)
	}
	return keep.Begun{ID: c.ID, Lease: c.Lease, Kept: &r}, nil
}

// End implements keep.Calls.
func (b *Book) End(tx rows.Tx, key, id string, lease int, r keep.Result) error {
	c, mine, err := b.running(tx, key, id, lease)
	if err != nil || !mine {
		return err
	}
	text, err := json.Marshal(r)
	if err != nil {
		return fault.New(fault.Internal, "result_invalid", "the result cannot be kept", err)
	}
	if len(text) > maxBytes {
		return tooLarge(len(text), maxBytes)
	}
	for len(text) > 0 {
		n := min(pieceBytes, len(text))
		if err := tx.Put(pieceKey(c.Number, c.Pieces), text[:n]); err != nil {
			return fmt.Errorf("calls: put: %w", err)
		}
		text = text[n:]
		c.Pieces++
	}
	return rows.Write(tx, callPrefix+key, c)
}

func tooLarge(bytes, most int) error {
	return fault.Invalidf("data", "result_too_large", "the result has %d bytes, above %d", bytes, most)
}

// Lapse implements keep.Calls.
func (b *Book) Lapse(tx rows.Tx, key, id string, lease int) error {
	c, mine, err := b.running(tx, key, id, lease)
	if err != nil || !mine {
		return err
	}
	c.Until = 0
	return rows.Write(tx, callPrefix+key, c)
}

// Drop implements keep.Calls.
func (b *Book) Drop(tx rows.Tx, key, id string, lease int) error {
	c, mine, err := b.running(tx, key, id, lease)
	if err != nil || !mine {
		return err
	}
	return remove(tx, key, c)
}

// running is the call of a key, if it has not ended and is still that beginning of it.
func (b *Book) running(tx rows.Tx, key, id string, lease int) (c kept, mine bool, err error) {
	c, found, err := read(tx, key)
	return c, found && c.ID == id && c.Lease == lease && c.Pieces == 0, err
}

func read(tx rows.Tx, key string) (c kept, found bool, err error) {
	found, err = rows.Read(tx, callPrefix+key, &c)
	return c, found, err
}

// remove removes the rows of a call.
func remove(tx rows.Tx, key string, c kept) error {
	keys := []string{callPrefix + key, expiryKey(c.Expires, key)}
	for i := range c.Pieces {
		keys = append(keys, pieceKey(c.Number, i))
	}
	for _, k := range keys {
		if err := tx.Delete(k); err != nil {
			return fmt.Errorf("calls: delete: %w", err)
		}
	}
	return nil
}

// keyOf is the call's key in that of its expiry.
func keyOf(expiry string) string {
	_, key, _ := strings.Cut(strings.TrimPrefix(expiry, expiryPrefix), "/")
	return key
}
