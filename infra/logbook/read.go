package logbook

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"
)

// Reader reads the lines of a folder, the oldest first, and those that come.
type Reader struct {
	dir   string
	pause func(context.Context) error // until it is worth another look
}

// NewReader reads the lines of a folder. It looks again when pause has returned; nil is a fifth of a second.
func NewReader(dir string, pause func(context.Context) error) *Reader {
	if pause == nil {
		pause = func(ctx context.Context) error {
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-time.After(200 * time.Millisecond):
				return nil
			}
		}
	}
	return &Reader{dir, pause}
}

// Read tells every line that there is. A folder without any is fs.ErrNotExist.
func (r *Reader) Read(tell func(Line) error) error {
	t, err := r.read(tell)
	return errors.Join(err, t.close())
}

// Follow tells every line that there is, calls caughtUp, and tells each line that comes, until ctx ends. It waits for a folder that is not there yet.
func (r *Reader) Follow(ctx context.Context, tell func(Line) error, caughtUp func() error) error {
	t, err := r.read(tell)
	for errors.Is(err, fs.ErrNotExist) {
		if r.pause(ctx) != nil {
			return nil
		}
		t, err = r.read(tell)
	}
	defer func() { _ = t.close() }()
	if err == nil {
		err = caughtUp()
	}
	for err == nil {
		if r.pause(ctx) != nil {
			return nil
		}
		err = t.more(r.dir, tell)
	}
	return err
}

// read tells what there is, and gives the newest file as far as it is read; nil when there is none.
func (r *Reader) read(tell func(Line) error) (*tail, error) {
	for n := Files - 1; n > 0; n-- {
		t, err := openTail(r.dir, n)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := errors.Join(t.rest(tell), t.close()); err != nil {
			return nil, err
		}
	}
	t, err := openTail(r.dir, 0)
	if err != nil {
		return nil, err
	}
	return t, t.rest(tell)
}

// tail is a file that is read as it grows.
type tail struct {
	file  *os.File
	lines *bufio.Reader // what the file has that was not told yet
	part  []byte        // of a line that has not ended
}

// openTail reads the n-th file of a folder from its beginning.
func openTail(dir string, n int) (*tail, error) {
	f, err := os.Open(name(dir, n))
	if err != nil {
		return nil, err
	}
	return &tail{file: f, lines: bufio.NewReaderSize(f, 64<<10)}, nil
}

func (t *tail) close() error {
	if t == nil {
		return nil
	}
	return t.file.Close()
}

// rest tells the lines that are there.
func (t *tail) rest(tell func(Line) error) error {
	for {
		piece, err := t.lines.ReadBytes('\n')
		t.part = append(t.part, piece...)
		if err == nil {
			line := bytes.TrimSpace(t.part)
			t.part = nil
			if len(line) > 0 {
				err = tell(Parse(line))
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// more tells what has come. When another file was begun, it goes on with that.
func (t *tail) more(dir string, tell func(Line) error) error {
	same, err := t.newest(dir)
	if err == nil && same {
		return t.rest(tell)
	}
	var next *tail
	if err == nil {
		next, err = openTail(dir, 0)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it is about to be
	}
	if err != nil {
		return err
	}
	if err := errors.Join(t.rest(tell), t.close()); err != nil {
		return errors.Join(err, next.close())
	}
	*t = *next
	return t.rest(tell)
}

// newest reports whether the file is still the one that is written.
func (t *tail) newest(dir string) (bool, error) {
	mine, err := t.file.Stat()
	if err != nil {
		return false, err
	}
	written, err := os.Stat(name(dir, 0))
	return err == nil && os.SameFile(mine, written), err
}
