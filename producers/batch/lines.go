package batch

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"runtime"

	"levada.dev/events/fault"
)

// lines reads a stream line by line. The memory of an instance is not much larger than the longest lines, and what earlier work has left of
// it is in small parts: so a large line has room for the longest there may be, at once, and never doubles its way up.
type lines struct {
	r     *bufio.Reader
	limit int64                           // of a line
	room  func(bytes int) (func(), error) // is asked for a large line; nil: there is room
	n     int                             // the number of the line, from 1

	line []byte // as far as it has been read
	size int    // of it, with its end
	free func() // gives back the room of the line, if it has any
}

const (
	ordinary = 64 << 10 // most lines are shorter: longer ones need room
	large    = 1 << 20  // longer ones need it before they are read on
)

func newLines(r io.Reader, limit int64, room func(bytes int) (func(), error)) *lines {
	return &lines{r: bufio.NewReaderSize(r, ordinary), limit: limit, room: room}
}

var byteOrderMark = []byte("\xef\xbb\xbf")

// next returns the next line that is not blank, without its end. It is good until the next call, as is its room. At the end of the stream
// that is io.EOF; of a line that is too long it is fault.Invalid, code line_too_long, and the next call goes on behind it; of a stream that
// breaks off it is fault.Invalid, code body_incomplete. A large line for which there is no room fails with what the room says.
func (l *lines) next() ([]byte, error) {
	for {
		err := l.read()
		l.n++
		switch {
		case err == nil || errors.Is(err, io.EOF):
		case errors.Is(err, errTooLong):
			return nil, fault.Invalidf("", "line_too_long", "the line is above %d bytes", l.limit)
		default:
			return nil, err
		}
		line := l.line
		if l.n == 1 {
			line = bytes.TrimPrefix(line, byteOrderMark)
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(bytes.TrimSpace(line)) > 0 {
			return line, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

var errTooLong = errors.New("the line is too long")

// read reads up to and with the next line feed, or to the end. Of a line that is too long nothing is kept.
func (l *lines) read() error {
	l.drop()
	for long := false; ; {
		piece, err := l.r.ReadSlice('\n')
		if !long && int64(l.size+len(bytes.TrimRight(piece, "\r\n"))) > l.limit {
			long = true
			l.drop()
		}
		if !long {
			if err := l.add(piece); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil && !errors.Is(err, io.EOF):
			return fault.New(fault.Invalid, "body_incomplete", "the body ended early; nothing of it was taken", err)
		case long:
			return errTooLong
		}
		return err
	}
}

// add keeps a piece of the line. A large line waits for the room of the longest there may be: two that asked step by step could wait for
// each other.
func (l *lines) add(piece []byte) error {
	if l.size += len(piece); l.size > large && cap(l.line) < int(l.limit) {
		if err := l.need(int(l.limit)); err != nil {
			return err
		}
		runtime.GC() // a few allocations of this size outrun the collector
		l.line = append(make([]byte, 0, l.limit), l.line...)
	}
	if l.size > large {
		piece = piece[:min(len(piece), cap(l.line)-len(l.line))] // what is beyond the limit is the line's end
	}
	l.line = append(l.line, piece...)
	return nil
}

// need takes room, unless the line has some.
func (l *lines) need(bytes int) (err error) {
	if l.room != nil && l.free == nil {
		l.free, err = l.room(bytes)
	}
	return err
}

// drop forgets the line, and gives its room back.
func (l *lines) drop() {
	if l.line = l.line[:0]; cap(l.line) > 4*ordinary {
		l.line = nil
	}
	l.size = 0
	if l.free != nil {
		l.free()
		l.free = nil
	}
}
