package localvec

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"time"

	"github.com/google/uuid"
)

// A record is a mutation in the file, all numbers little-endian:
//
//	record:  length of the payload (4), its CRC-32C (4), payload
//	payload: operation (1), mutation id (16), accepted (8, µs), due (8, µs), vectors (4), each:
//	  id (1 + n), and except for a removal: namespace (1 + n), metadata (4 + n), values (4 * dimensions)

const (
	recordHeader = 8
	payloadHead  = 1 + 16 + 8 + 8 + 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// size is the bytes a vector takes in the file.
func (v vector) size() int64 {
	return int64(1 + len(v.id) + 1 + len(v.namespace) + 4 + len(v.metadata) + 4*len(v.values))
}

func (s *space) size(slot int) int64 {
	r := s.rows[slot]
	return vector{r.id, s.name, r.metadata, s.vector(slot)}.size()
}

func encode(out []byte, m mutation) []byte {
	le := binary.LittleEndian
	start := len(out)
	out = append(out, make([]byte, recordHeader)...)
	out = append(out, byte(m.operation))
	out = append(out, m.id[:]...)
	out = le.AppendUint64(out, uint64(m.accepted.UnixMicro()))
	out = le.AppendUint64(out, uint64(m.due.UnixMicro()))
	out = le.AppendUint32(out, uint32(len(m.vectors)))
	for _, v := range m.vectors {
		out = append(append(out, byte(len(v.id))), v.id...)
		if m.operation == remove {
			continue
		}
		out = append(append(out, byte(len(v.namespace))), v.namespace...)
		out = append(le.AppendUint32(out, uint32(len(v.metadata))), v.metadata...)
		out = appendFloats(out, v.values)
	}
	payload := out[start+recordHeader:]
	le.PutUint32(out[start:], uint32(len(payload)))
	le.PutUint32(out[start+4:], crc32.Checksum(payload, castagnoli))
	return out
}

var errShort = errors.New("the record ends too early: the file is damaged")

// decode reads a payload. The values are the journal's until the next record.
func (j *journal) decode(p []byte) (mutation, error) {
	le := binary.LittleEndian
	j.floats = j.floats[:0]
	if len(p) < payloadHead {
		return mutation{}, errShort
	}
	m := mutation{
		operation: operation(p[0]),
		id:        uuid.UUID(p[1:17]),
		accepted:  time.UnixMicro(int64(le.Uint64(p[17:]))),
		due:       time.UnixMicro(int64(le.Uint64(p[25:]))),
	}
	count := le.Uint32(p[33:])
	p = p[payloadHead:]
	take := func(n int) []byte {
		if n > len(p) {
			p = nil
			return nil
		}
		b := p[:n]
		p = p[n:]
		return b
	}
	short := func() string {
		n := take(1)
		if n == nil {
			return ""
		}
		return string(take(int(n[0])))
	}
	for range count {
		v := vector{id: short()}
		if v.id == "" {
			return m, errShort
		}
		if m.operation != remove {
			v.namespace = short()
			length := take(4)
			if length == nil {
				return m, errShort
			}
			v.metadata = append([]byte(nil), take(int(le.Uint32(length)))...)
			raw := take(4 * j.dimensions)
			if raw == nil {
				return m, errShort
			}
			start := len(j.floats)
			j.floats = appendRead(j.floats, raw)
			v.values = j.floats[start:len(j.floats):len(j.floats)]
		}
		m.vectors = append(m.vectors, v)
	}
	return m, nil
}

func appendFloats(out []byte, values []float32) []byte {
	for _, x := range values {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(x))
	}
	return out
}

func readFloats(raw []byte) []float32 { return appendRead(make([]float32, 0, len(raw)/4), raw) }

func appendRead(out []float32, raw []byte) []float32 {
	for ; len(raw) >= 4; raw = raw[4:] {
		out = append(out, math.Float32frombits(binary.LittleEndian.Uint32(raw)))
	}
	return out
}
