package localvec

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"
)

// journal is an index's file: a header, then one record for each mutation.
//
//	header: "levec001", dimensions (4 bytes)
//	record: length of the payload (4), its CRC-32C (4), payload
//	payload: operation (1), mutation id (16), accepted (8, µs), due (8, µs), vectors (4), each:
//	  id (1 + n), and except for a removal: namespace (1 + n), metadata (4 + n), values (4 * dimensions)
//
// All numbers are little-endian.
type journal struct {
	path       string
	file       *os.File
	size       int64
	dimensions int
	buffer     []byte    // of the record being read or written
	floats     []float32 // of the record being read
}

const (
	magic        = "levec001"
	headerSize   = len(magic) + 4
	recordHeader = 8
	payloadHead  = 1 + 16 + 8 + 8 + 4
	// maxPayload is above what a full batch takes: a longer length is damage.
	maxPayload = 64 << 20
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

// openJournal reads the file, passing each mutation to replay, and cuts a torn tail.
// A mutation's values are lent to replay until it returns.
func openJournal(path string, dimensions int, replay func(mutation)) (*journal, error) {
	// What a compaction left behind when it was killed was never part of the index.
	if err := os.Remove(path + ".new"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	j := &journal{path: path, file: file, dimensions: dimensions}
	if err := j.read(replay); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return j, nil
}

func (j *journal) read(replay func(mutation)) error {
	end, err := j.file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if end < int64(headerSize) {
		// New, or killed before the header was whole.
		return j.start()
	}
	if _, err := j.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	in := bufio.NewReaderSize(j.file, 1<<20)
	header := make([]byte, headerSize)
	if _, err := io.ReadFull(in, header); err != nil {
		return err
	}
	if string(header[:len(magic)]) != magic {
		return fmt.Errorf("%s is not an index", j.path)
	}
	if had := int(binary.LittleEndian.Uint32(header[len(magic):])); had != j.dimensions {
		return fmt.Errorf("%s has %d dimensions, the configuration says %d: take another name or delete the file", j.path, had, j.dimensions)
	}
	j.size = int64(headerSize)
	for j.size < end {
		payload, torn, err := j.next(in, end)
		if err != nil {
			return fmt.Errorf("%s, byte %d: %w", j.path, j.size, err)
		}
		if torn {
			break
		}
		m, err := j.decode(payload)
		if err != nil {
			return fmt.Errorf("%s, byte %d: %w", j.path, j.size, err)
		}
		replay(m)
		j.size += int64(recordHeader + len(payload))
	}
	j.floats = nil
	if err := j.file.Truncate(j.size); err != nil {
		return err
	}
	_, err = j.file.Seek(j.size, io.SeekStart)
	return err
}

// next reads a record. It is torn when the file ends inside it, or with it and its
// checksum is wrong: the write that a kill or a power cut interrupted. A wrong
// checksum before the end is damage.
func (j *journal) next(in *bufio.Reader, end int64) (payload []byte, torn bool, err error) {
	left := end - j.size
	if left < recordHeader {
		return nil, true, nil
	}
	var head [recordHeader]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return nil, false, err
	}
	length := int64(binary.LittleEndian.Uint32(head[:]))
	if length > left-recordHeader {
		return nil, true, nil
	}
	if int64(cap(j.buffer)) < length {
		j.buffer = make([]byte, length)
	}
	payload = j.buffer[:length]
	if _, err := io.ReadFull(in, payload); err != nil {
		return nil, false, err
	}
	if crc32.Checksum(payload, castagnoli) != binary.LittleEndian.Uint32(head[4:]) {
		if length == left-recordHeader {
			return nil, true, nil
		}
		return nil, false, errors.New("the record's checksum is wrong and others follow it: the file is damaged")
	}
	return payload, false, nil
}

func (j *journal) start() error {
	header := binary.LittleEndian.AppendUint32([]byte(magic), uint32(j.dimensions))
	if err := j.file.Truncate(0); err != nil {
		return err
	}
	if _, err := j.file.WriteAt(header, 0); err != nil {
		return err
	}
	j.size = int64(headerSize)
	_, err := j.file.Seek(j.size, io.SeekStart)
	return err
}

// append writes a mutation whole or, when it fails, not at all.
func (j *journal) append(m mutation) error {
	j.buffer = encode(j.buffer[:0], m)
	if _, err := j.file.Write(j.buffer); err != nil {
		err = fmt.Errorf("write %s: %w", j.path, err)
		if cut := j.file.Truncate(j.size); cut != nil {
			return errors.Join(err, cut)
		}
		_, seek := j.file.Seek(j.size, io.SeekStart)
		return errors.Join(err, seek)
	}
	j.size += int64(len(j.buffer))
	return nil
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

// rewrite replaces the file by one that has these vectors only, as if last had
// made them all. It is synced before it takes the old file's place.
func (j *journal) rewrite(last mutation, vectors iter.Seq[vector]) error {
	file, err := os.OpenFile(j.path+".new", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	fresh := &journal{path: j.path, file: file, dimensions: j.dimensions}
	if err := fresh.fill(last, vectors); err != nil {
		return errors.Join(err, file.Close())
	}
	if err := os.Rename(j.path+".new", j.path); err != nil {
		return errors.Join(err, file.Close())
	}
	old := j.file
	*j = *fresh
	return errors.Join(old.Close(), syncFolder(filepath.Dir(j.path)))
}

func (j *journal) fill(last mutation, vectors iter.Seq[vector]) error {
	if err := j.start(); err != nil {
		return err
	}
	last.operation, last.vectors = upsert, nil
	for v := range vectors {
		if last.vectors = append(last.vectors, v); len(last.vectors) == maxBatch {
			if err := j.append(last); err != nil {
				return err
			}
			last.vectors = last.vectors[:0]
		}
	}
	if err := j.append(last); err != nil {
		return err
	}
	return j.file.Sync()
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

func (j *journal) close() error { return errors.Join(j.file.Sync(), j.file.Close()) }

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
