package batch

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"runtime"

	"levada.dev/events/fault"
)

// lines reads a stream line by line.
type lines struct {
	r     *bufio.Reader
	limit int64 // of a line
	line  []byte
	n     int // the number of the line, from 1
}

// ordinary is how long most lines are: the room for a longer one goes when the line is done.
const ordinary = 64 << 10

func newLines(r io.Reader, limit int64) *lines {
	return &lines{r: bufio.NewReaderSize(r, ordinary), limit: limit}
}

var byteOrderMark = []byte("\xef\xbb\xbf")

// next returns the next line that is not blank, without its end. It is good until the next call. At the end of the stream that is
// io.EOF; of a line that is too long it is fault.Invalid, code line_too_long, and the next call goes on behind it.
func (l *lines) next() ([]byte, error) {
	for {
		line, long, err := l.read()
		l.n++
		if l.n == 1 {
			line = bytes.TrimPrefix(line, byteOrderMark)
		}
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case long:
			return nil, fault.Invalidf("", "line_too_long", "the line is above %d bytes", l.limit)
		case len(bytes.TrimSpace(line)) > 0 && (err == nil || errors.Is(err, io.EOF)):
			return line, nil
		case err != nil:
			return nil, err
		}
	}
}

// read reads up to and with the next line feed, or to the end. Of a line that is too long nothing is kept.
func (l *lines) read() (line []byte, long bool, err error) {
	if cap(l.line) > 4*ordinary {
		l.line = nil
	}
	l.line = l.line[:0]
	for {
		piece, err := l.r.ReadSlice('\n')
		if !long {
			long = int64(len(l.line)+len(bytes.TrimRight(piece, "\r\n"))) > l.limit
			if long {
				l.line = nil
			} else {
				l.add(piece)
			}
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return l.line, long, err
		}
	}
}

// add appends to the line, for which there is room in doubling steps. Before a large one the collector runs: a few allocations
// of this size outrun it, and the memory of a Worker is not much larger than they are.
func (l *lines) add(piece []byte) {
	if need := len(l.line) + len(piece); need > cap(l.line) {
		size := min(max(2*cap(l.line), need), max(need, int(l.limit)+2))
		if size > 1<<20 {
			runtime.GC()
		}
		l.line = append(make([]byte, 0, size), l.line...)
	}
	l.line = append(l.line, piece...)
}
