package localvec

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"os"
	"path/filepath"
)

// journal is an index's file: a header ("levec001", dimensions in 4 bytes), then
// one record for each mutation (record.go).
type journal struct {
	path       string
	file       *os.File
	size       int64
	dimensions int
	buffer     []byte    // of the record being read or written
	floats     []float32 // of the record being read
}

const (
	magic      = "levec001"
	headerSize = len(magic) + 4
)

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
