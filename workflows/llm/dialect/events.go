package dialect

import (
	"bytes"
	"errors"
	"io"
)

// events reads server-sent events, as much of them as models send: data of one line or more, the event's name, comments.
// A line ends in LF or CRLF. https://html.spec.whatwg.org/multipage/server-sent-events.html
type events struct {
	r   io.Reader
	err error // of the reader, once all that came before it was read

	buf   []byte // what was read and is not yet an event
	start int    // of the event that is being read, in buf
	next  int    // where its next line begins
	seen  int    // up to where there is no end of that line

	first, end int    // the event's first line of data is buf[start+first:start+end]
	lines      int    // of data
	more       []byte // all of it, when there are several lines
	name       string
}

const (
	// readSize is how much is read at once. A token is about 30 bytes of text in 200 of JSON.
	readSize = 4 << 10
	// maxEvent is how long an event may be.
	maxEvent = 4 << 20
)

var errTooLong = errors.New("an event is too long")

// read returns the data of the next event and its name, "" in general. The data is good until the next call. An event that is
// not complete when the reader ends is returned with the reader's error.
func (e *events) read() (data []byte, name string, err error) {
	for {
		if data, name = e.buffered(); data != nil {
			return data, name, nil
		}
		if e.err != nil {
			return e.rest()
		}
		if err := e.fill(); err != nil {
			return nil, "", err
		}
	}
}

// buffered is read without waiting: nil when more is needed for an event.
func (e *events) buffered() (data []byte, name string) {
	for {
		from, to, ok := e.line()
		if !ok {
			if r, holds := e.r.(interface{ Buffered() int }); holds && r.Buffered() > 0 && e.fill() == nil {
				continue
			}
			return nil, ""
		}
		if from < to {
			e.field(from, to)
			continue
		}
		data, name = e.data(), e.name
		e.begin()
		if data != nil {
			return data, name
		}
	}
}

// rest is the event that lacked its end: nil when none had begun.
func (e *events) rest() ([]byte, string, error) {
	begun := e.start < len(e.buf)
	if e.next < len(e.buf) {
		e.field(e.next, len(e.buf))
		e.next = len(e.buf)
	}
	data, name := e.data(), e.name
	if data == nil && begun {
		data = e.buf[:0]
	}
	e.begin()
	return data, name, e.err
}

// line is the next line, without its end, as a piece of buf.
func (e *events) line() (from, to int, ok bool) {
	i := bytes.IndexByte(e.buf[e.seen:], '\n')
	if i < 0 {
		e.seen = len(e.buf)
		return 0, 0, false
	}
	from, to = e.next, e.seen+i
	e.next, e.seen = to+1, to+1
	if to > from && e.buf[to-1] == '\r' {
		to--
	}
	return from, to, true
}

// begin starts the next event.
func (e *events) begin() {
	e.start, e.lines, e.name = e.next, 0, ""
}

// field takes a line into the event.
func (e *events) field(from, to int) {
	line := e.buf[from:to]
	if value, ok := bytes.CutPrefix(line, []byte("data:")); ok {
		e.append(to-len(value), to)
	} else if string(line) == "data" {
		e.append(to, to)
	} else if value, ok := bytes.CutPrefix(line, []byte("event:")); ok {
		e.name = string(bytes.TrimPrefix(value, []byte(" ")))
	}
}

// append takes a line of data.
func (e *events) append(from, to int) {
	if from < to && e.buf[from] == ' ' {
		from++
	}
	switch e.lines++; e.lines {
	case 1:
		e.first, e.end = from-e.start, to-e.start
	case 2:
		e.more = append(e.more[:0], e.buf[e.start+e.first:e.start+e.end]...)
		fallthrough
	default:
		e.more = append(append(e.more, '\n'), e.buf[from:to]...)
	}
}

func (e *events) data() []byte {
	switch e.lines {
	case 0:
		return nil
	case 1:
		return e.buf[e.start+e.first : e.start+e.end]
	}
	return e.more
}

// fill reads once more.
func (e *events) fill() error {
	if e.start > 0 { // an event that has begun moves to the front
		n := copy(e.buf, e.buf[e.start:])
		e.buf = e.buf[:n]
		e.next, e.seen, e.start = e.next-e.start, e.seen-e.start, 0
	}
	if len(e.buf) > maxEvent {
		return errTooLong
	}
	if cap(e.buf)-len(e.buf) < readSize/2 {
		grown := make([]byte, len(e.buf), max(readSize, 2*cap(e.buf)))
		copy(grown, e.buf)
		e.buf = grown
	}
	n, err := e.r.Read(e.buf[len(e.buf):cap(e.buf)])
	e.buf = e.buf[:len(e.buf)+n]
	e.err = err
	return nil
}
