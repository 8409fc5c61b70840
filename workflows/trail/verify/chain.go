package verify

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/gowebpki/jcs"

	"levada.dev/tenants"
	"levada.dev/workflows/trail"
)

// Break is the first entry of a chain that does not fit.
type Break struct {
	Seq   int64  `json:"seq"`   // of the entry, or of the first that is missing
	Where string `json:"where"` // the trail, or a segment
	Why   string `json:"why"`
}

// Error implements error.
func (b *Break) Error() string { return fmt.Sprintf("%s, entry %d: %s", b.Where, b.Seq, b.Why) }

// Chain is the entries that were seen so far, one after the other. It belongs to one goroutine.
type Chain struct {
	tenant tenants.ID
	where  string
	piece  bool // what comes before it is not known
	first  trail.Entry
	head   trail.Head
	hashes []hash // of the entries, from first on
}

type hash [sha256.Size]byte

// NewChain is a tenant's chain from its beginning: its first entry is the first there ever was, or one that says that all before it was erased.
func NewChain(tenant tenants.ID, where string) *Chain {
	return &Chain{tenant: tenant, where: where, head: trail.Head{Hash: trail.Genesis(tenant)}}
}

// NewPiece is a piece of a tenant's chain, from the entry after a place on; after 0 it may begin with any entry.
func NewPiece(tenant tenants.ID, where string, after int64) *Chain {
	return &Chain{tenant: tenant, where: where, piece: true, head: trail.Head{Seq: after}}
}

// Head is the last entry.
func (c *Chain) Head() trail.Head { return c.head }

// Next says where the lines come from that are added from then on.
func (c *Chain) Next(where string) { c.where = where }

// First is the first entry's place, 0 when there is none.
func (c *Chain) First() int64 { return c.first.Seq }

// Erased is the entry that the chain begins with when that says that all before it was erased. Nothing but copies of what went can show whether it
// is true.
func (c *Chain) Erased() (e trail.Entry, ok bool) {
	return c.first, c.first.Erases() && c.first.Seq > 1
}

// Len is how many entries there are.
func (c *Chain) Len() int { return len(c.hashes) }

// Has reports whether an entry of the chain has the hash, or what was erased before it ended in it.
func (c *Chain) Has(want string) bool {
	for i := range c.hashes {
		if hex.EncodeToString(c.hashes[i][:]) == want {
			return true
		}
	}
	return c.first.Erases() && c.first.Prev == want
}

// Holds reports whether the chain has an entry as somebody has noted it: its place and its hash, or its hash alone, with a place of 0. The error is
// the *Break that it is.
func (c *Chain) Holds(noted trail.Head) error {
	got, last := c.hashOf(noted.Seq), c.first.Seq-1 // the last of what is not there, whose hash the first entry has
	switch {
	case noted.Seq == 0 && !c.Has(noted.Hash):
		return c.broken(c.head.Seq+1, "no entry has the hash that was noted: the end was cut off, or the chain made anew")
	case noted.Seq == 0 || got == noted.Hash || noted.Seq == last && c.first.Prev == noted.Hash:
		return nil
	case got != "" || noted.Seq == last:
		return c.broken(noted.Seq, "it is not the one that was noted: the chain was made anew from it on, or from one before it")
	case noted.Seq > c.head.Seq:
		return c.broken(c.head.Seq+1, "it is missing, and so is all that follows: %d was noted", noted.Seq)
	case c.first.Erases():
		return c.broken(noted.Seq, "it was noted, and went with all before %d, which says that the tenant was erased: only segments that were copied can show it", c.first.Seq)
	}
	return c.broken(noted.Seq, "it was noted, and what there is begins with %d", c.first.Seq)
}

// hashOf is the hash of an entry, "" when the chain has none at the place.
func (c *Chain) hashOf(seq int64) string {
	at := seq - c.first.Seq
	if at < 0 || at >= int64(len(c.hashes)) {
		return ""
	}
	return hex.EncodeToString(c.hashes[at][:])
}

// Add takes the next line. The error is the *Break that it is; nothing is to be added after one.
func (c *Chain) Add(line []byte) error {
	e, sum, err := read(line)
	if err != nil {
		return c.broken(c.head.Seq+1, "it cannot be read: %v", err)
	}
	want := hex.EncodeToString(sum[:])
	switch {
	case len(c.hashes) == 0 && (c.piece && c.head.Seq == 0 || e.Erases() && e.Seq > c.head.Seq+1):
		if e.Seq < 1 {
			return c.broken(e.Seq, "it has no place")
		}
	case e.Seq > c.head.Seq+1:
		return c.broken(c.head.Seq+1, "it is missing: %d comes instead", e.Seq)
	case e.Seq != c.head.Seq+1:
		return c.broken(c.head.Seq+1, "%d is in its place", e.Seq)
	case len(c.hashes) == 0 && c.piece: // whose hash comes before it nobody has said
	case e.Prev != c.head.Hash && len(c.hashes) == 0:
		return c.broken(e.Seq, "it is not the beginning of %s's trail", c.tenant)
	case e.Prev != c.head.Hash:
		return c.broken(e.Seq, "it follows another entry than %d", c.head.Seq)
	}
	switch {
	case e.Hash != want:
		return c.broken(e.Seq, "it was changed: its hash is %.12s…, not %.12s…", want, e.Hash)
	case c.piece && len(c.hashes) == 0 && !strings.HasPrefix(e.Source, "/tenants/"+string(c.tenant)+"/"):
		return c.broken(e.Seq, "it is another tenant's")
	}
	if len(c.hashes) == 0 {
		c.first = e
	}
	c.head = trail.Head{Seq: e.Seq, Hash: want}
	c.hashes = append(c.hashes, sum)
	return nil
}

func (c *Chain) broken(seq int64, format string, args ...any) error {
	return &Break{Seq: seq, Where: c.where, Why: fmt.Sprintf(format, args...)}
}

// Ends holds the end of the chain to what the trail itself says it is.
func (c *Chain) Ends(head trail.Head) error {
	switch {
	case head.Seq > c.head.Seq:
		return c.broken(c.head.Seq+1, "it is missing, and so is all that follows: the trail ends with %d", head.Seq)
	case head.Seq == c.head.Seq && head.Hash != c.head.Hash && c.head.Hash != "": // else there is nothing of the piece
		return c.broken(c.head.Seq, "the trail says that it ends with another one")
	}
	return nil
}

// Canonical is JSON in the form of RFC 8785.
func Canonical(text []byte) ([]byte, error) { return jcs.Transform(text) }

// read is the entry of a line, and the hash that it must have.
func read(line []byte) (e trail.Entry, sum hash, err error) {
	whole, err := Canonical(line) // no member comes twice
	if err != nil {
		return e, sum, err
	}
	if err := json.Unmarshal(whole, &e); err != nil {
		return e, sum, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(whole, &members); err != nil {
		return e, sum, err
	}
	delete(members, "hash")
	rest, err := json.Marshal(members)
	if err != nil {
		return e, sum, err
	}
	if rest, err = Canonical(rest); err != nil {
		return e, sum, err
	}
	return e, sha256.Sum256(rest), nil
}
