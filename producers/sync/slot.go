package sync

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/google/uuid"

	"levada.dev/tenants"
)

// window is for how long after its beginning a slot's import is opened: long enough that some schedules may be missed, and short enough that most of
// them ask no ledger.
const window = 30 * time.Minute

// slot is the time of one import of a source.
type slot struct {
	tenant tenants.ID
	source string
	begins time.Time
}

// slotAt is the source's slot at a time, if its window is open. Sources with the same interval begin at different times: what they ask of the web and
// of the queues would else come at once, every hour on the hour.
func slotAt(tenant tenants.ID, source string, every time.Duration, at time.Time) (s slot, open bool) {
	sum := sha256.Sum256([]byte(string(tenant) + "\x00" + source))
	phase := time.Duration(binary.BigEndian.Uint64(sum[:8]) % uint64(every/time.Minute) * uint64(time.Minute))
	since := at.Sub(time.Unix(0, 0).Add(phase))
	s = slot{tenant, source, at.Add(-(since % every)).UTC()}
	return s, at.Sub(s.begins) < min(window, every)
}

// id is the id of the slot's import: a UUID of version 7 of the time at which it begins, as if it had been drawn then, so that the ledger's order holds.
func (s slot) id() string {
	sum := sha256.Sum256([]byte("sync\x00" + string(s.tenant) + "\x00" + s.source + "\x00" + s.begins.Format(time.RFC3339)))
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], uint64(s.begins.UnixMilli())<<16)
	copy(id[6:], sum[:])
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return id.String()
}
