package logbook

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

const (
	// maxBytes is how long a file gets before the next one is begun.
	maxBytes = 16 << 20
	// Files is how many there are at most; the oldest goes first.
	Files = 4
	// Folder is where they are, below a state folder.
	Folder = "logs"
)

// Book writes lines into the files of a folder. It is safe for concurrent use.
type Book struct {
	dir  string
	most int64

	mu   sync.Mutex
	file *os.File
	size int64
	rest []byte // a line that has not ended
}

// Options changes a Book. The zero value is what the platform has.
type Options struct {
	MaxBytes int64
}

// Open goes on with the newest file of a folder, which is made if it is not there.
func Open(dir string, o *Options) (*Book, error) {
	b := &Book{dir: dir, most: maxBytes}
	if o != nil && o.MaxBytes > 0 {
		b.most = o.MaxBytes
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	return b, b.open()
}

// name is that of the n-th file, of which 0 is the newest.
func name(dir string, n int) string {
	if n == 0 {
		return filepath.Join(dir, "workers.jsonl")
	}
	return filepath.Join(dir, fmt.Sprintf("workers.%d.jsonl", n))
}

// Name is the file that is written.
func (b *Book) Name() string { return name(b.dir, 0) }

func (b *Book) open() error {
	f, err := os.OpenFile(name(b.dir, 0), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	b.file, b.size = f, info.Size()
	return nil
}

// Write implements io.Writer. A line is in one file, whole.
func (b *Book) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	end := bytes.LastIndexByte(p, '\n') + 1
	if end == 0 && len(b.rest)+len(p) < maxLine {
		b.rest = append(b.rest, p...)
		return len(p), nil
	}
	lines := append(b.rest, p[:end]...)
	b.rest = append([]byte(nil), p[end:]...)
	if len(lines) == 0 {
		return len(p), nil
	}
	return len(p), b.write(lines)
}

// maxLine is how long a line is at most; what is longer is kept in pieces.
const maxLine = 1 << 20

func (b *Book) write(lines []byte) error {
	if b.size > 0 && b.size+int64(len(lines)) > b.most {
		if err := b.turn(); err != nil {
			return err
		}
	}
	n, err := b.file.Write(lines)
	b.size += int64(n)
	return err
}

// turn begins a new file.
func (b *Book) turn() error {
	if err := b.file.Close(); err != nil {
		return err
	}
	for n := Files - 1; n > 0; n-- { // the last one is overwritten
		if err := os.Rename(name(b.dir, n-1), name(b.dir, n)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return b.open()
}

// Close writes what is left and closes the file.
func (b *Book) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var err error
	if len(b.rest) > 0 {
		err = b.write(append(b.rest, '\n'))
		b.rest = nil
	}
	return errors.Join(err, b.file.Close())
}
