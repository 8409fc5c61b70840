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
	f, err := r.read(tell)
	if f != nil {
		err = errors.Join(err, f.Close())
	}
	return err
}

// Follow tells every line that there is, calls caughtUp, and tells each line that comes, until ctx ends. It waits for a folder that is not there yet.
func (r *Reader) Follow(ctx context.Context, tell func(Line) error, caughtUp func() error) error {
	f, err := r.read(tell)
	for errors.Is(err, fs.ErrNotExist) {
		if r.pause(ctx) != nil {
			return nil
		}
		f, err = r.read(tell)
	}
	t := tail{file: f}
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

// read tells what there is, and gives the newest file, at its end.
func (r *Reader) read(tell func(Line) error) (*os.File, error) {
	for n := Files - 1; n > 0; n-- {
		f, err := os.Open(name(r.dir, n))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		t := tail{file: f}
		if err := errors.Join(t.rest(tell), t.close()); err != nil {
			return nil, err
		}
	}
	f, err := os.Open(name(r.dir, 0))
	if err != nil {
		return nil, err
	}
	return f, (&tail{file: f}).rest(tell)
}

// tail is a file that is read as it grows.
type tail struct {
	file *os.File
	part []byte // of a line that has not ended
}

func (t *tail) close() error {
	if t.file == nil {
		return nil
	}
	return t.file.Close()
}

// rest tells the lines that are there.
func (t *tail) rest(tell func(Line) error) error {
	lines := bufio.NewReaderSize(t.file, 64<<10)
	for {
		piece, err := lines.ReadBytes('\n')
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
	newest, err := os.Open(name(dir, 0))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it is about to be
	}
	if err != nil {
		return err
	}
	same, err := sameFile(t.file, newest)
	if err != nil || same {
		return errors.Join(err, newest.Close(), t.rest(tell))
	}
	if err := errors.Join(t.rest(tell), t.close()); err != nil {
		return errors.Join(err, newest.Close())
	}
	*t = tail{file: newest}
	return t.rest(tell)
}

func sameFile(a, b *os.File) (bool, error) {
	x, err := a.Stat()
	if err != nil {
		return false, err
	}
	y, err := b.Stat()
	return err == nil && os.SameFile(x, y), err
}
