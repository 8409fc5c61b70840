package audio

import (
	"bytes"
	"encoding/binary"
	"time"
)

// page is one page of Ogg (RFC 3533).
type page struct {
	begins  bool // a stream does, with this page
	granule int64
	serial  uint32
	body    []byte
	size    int
}

// pageAt reads the page that b begins with.
func pageAt(b []byte) (p page, ok bool) {
	if len(b) < 27 || string(b[:5]) != "OggS\x00" || len(b) < 27+int(b[26]) {
		return p, false
	}
	table := b[27 : 27+int(b[26])]
	p.size = 27 + len(table)
	for _, n := range table {
		p.size += int(n)
	}
	p.begins = b[5]&2 != 0
	p.granule = int64(binary.LittleEndian.Uint64(b[6:]))
	p.serial = binary.LittleEndian.Uint32(b[14:])
	p.body = b[27+len(table) : min(p.size, len(b))]
	return p, true
}

// startsOpus reports whether a stream of Opus begins on the page (RFC 7845).
func (p page) startsOpus() bool {
	return p.begins && len(p.body) >= 19 && string(p.body[:8]) == "OpusHead"
}

func isOpus(b []byte) bool {
	p, ok := pageAt(b)
	return ok && p.startsOpus()
}

// lengthOpus is how long the streams of Opus are that follow each other in b, each up to its last whole page.
func lengthOpus(b []byte) (d time.Duration) {
	const rate = 48000 // whatever the rate of what went in
	skip, last, serial := int64(0), int64(0), uint32(0)
	end := func() { d += span(max(0, last-skip), rate) }
	for len(b) > 0 {
		p, ok := pageAt(b)
		if !ok {
			next := bytes.Index(b[1:], []byte("OggS"))
			if next < 0 {
				break
			}
			b = b[1+next:]
			continue
		}
		if p.size > len(b) {
			break
		}
		switch {
		case p.startsOpus():
			end()
			skip, last, serial = int64(binary.LittleEndian.Uint16(p.body[10:])), 0, p.serial
		case p.serial == serial:
			last = max(last, p.granule) // -1 where no packet ends
		}
		b = b[p.size:]
	}
	end()
	return d
}
