package pdf

import (
	"bytes"
	"errors"
	"math"
	"strconv"
)

// The ways in which a file cannot be read.
var (
	ErrBroken    = errors.New("pdf: not a PDF file, or not all of one")
	ErrEncrypted = errors.New("pdf: the file is encrypted with a password")
	ErrExpands   = errors.New("pdf: the file unpacks to too much")
)

// Bounds of a file.
const (
	maxObjects  = 1_000_000
	maxPages    = 20_000
	maxStream   = 24 << 20  // one stream, unpacked
	maxUnpacked = 768 << 20 // all of them, each as often as it is read
	maxCached   = 4096      // objects that are kept after they were read
	maxRead     = 768 << 20 // bytes of all objects, each as often as it is read
	maxFollowed = 32        // references that lead to references
	maxHead     = 1 << 20   // the dictionary of an object
)

// place is where an object stands: at an offset of the file, or as one of those in an object stream.
type place struct {
	offset    int // in the file, or in the unpacked stream
	container int // the number of the stream, 0 for none
}

// file is an open file.
type file struct {
	data     []byte
	places   map[int]place
	cache    map[int]any
	cached   int // objects within those of the cache
	unpacked int64
	lexed    int64
	root     dict
	info     dict
	crypt    *crypt

	held  map[int][]byte // the object streams read last, unpacked
	fonts map[int]*font  // read last
	codes int            // that are known of them
}

// open finds the objects of a file.
func open(data []byte) (*file, error) {
	f := &file{data: data, places: map[int]place{}, cache: map[int]any{}, held: map[int][]byte{}, fonts: map[int]*font{}}
	trailer, err := f.scan()
	if err != nil {
		return nil, err
	}
	if encrypt, ok := f.resolve(trailer["Encrypt"]).(dict); ok {
		if f.crypt, err = newCrypt(f, encrypt, trailer); err != nil {
			return nil, err
		}
		clear(f.cache)
		if err := f.unpackContainers(); err != nil {
			return nil, err
		}
	}
	f.root, _ = f.resolve(trailer["Root"]).(dict)
	f.info, _ = f.resolve(trailer["Info"]).(dict)
	if f.root == nil {
		f.root = f.findCatalog()
	}
	return f, nil
}

// scan walks through the file from object to object. It returns the trailer: what the last ones of the file say.
func (f *file) scan() (dict, error) {
	trailer := dict{}
	take := func(d dict) {
		for _, k := range []name{"Root", "Info", "Encrypt", "ID"} {
			if v, ok := d[k]; ok {
				trailer[k] = v
			}
		}
	}
	var containers []int
	for pos := 0; pos < len(f.data); {
		rest := f.data[pos:]
		i := bytes.Index(rest, []byte("obj"))
		before := rest
		if i >= 0 {
			before = rest[:i]
		}
		if t := bytes.Index(before, []byte("trailer")); t >= 0 {
			l := &lexer{b: rest[:min(len(rest), t+maxHead)], pos: t + len("trailer")}
			if d, ok := l.next().(dict); ok {
				take(d)
			}
			pos += max(t+len("trailer"), l.pos)
			continue
		}
		if i < 0 {
			break
		}
		start := pos + i
		pos = start + len("obj")
		n, ok := objectNumber(f.data[:start])
		if !ok {
			continue
		}
		if len(f.places) >= maxObjects {
			return nil, ErrExpands
		}
		f.places[n] = place{offset: pos}
		d, after := f.passStream(pos)
		pos = after
		switch d["Type"] {
		case name("XRef"):
			take(d)
		case name("ObjStm"):
			containers = append(containers, n)
		}
	}
	if len(f.places) == 0 {
		return nil, ErrBroken
	}
	if trailer["Encrypt"] == nil { // else they are read when the key is known
		for _, n := range containers {
			if err := f.unpackContainer(n); err != nil {
				return nil, err
			}
		}
	}
	return trailer, nil
}

func firstIndex(b []byte, word string) int {
	if i := bytes.Index(b, []byte(word)); i >= 0 {
		return i
	}
	return len(b)
}

// objectNumber reads "12 0 " backwards, from before "obj".
func objectNumber(b []byte) (int, bool) {
	back := func() (int, bool) {
		e := len(b)
		for e > 0 && space(b[e-1]) {
			e--
		}
		s := e
		for s > 0 && e-s < 10 && b[s-1] >= '0' && b[s-1] <= '9' {
			s--
		}
		n, err := strconv.Atoi(string(b[s:e]))
		b = b[:s]
		return n, err == nil
	}
	if _, ok := back(); !ok {
		return 0, false
	}
	n, ok := back()
	return n, ok && n > 0
}

// passStream returns the dictionary of the object at pos if a stream belongs to it, and where to look for the next object. What
// is in a stream is no object, even if it looks like one. Nothing is looked at twice.
func (f *file) passStream(pos int) (dict, int) {
	l := &lexer{b: f.data[pos:min(len(f.data), pos+maxHead)]}
	l.skip()
	if !bytes.HasPrefix(l.b[l.pos:], []byte("<<")) {
		return nil, pos
	}
	d, _ := l.next().(dict)
	_, size := f.streamAt(pos+l.pos, d)
	if size < 0 {
		return nil, pos + l.pos
	}
	return d, pos + l.pos + size
}

// streamAt is the bytes of a stream whose dictionary ends at pos, and how far behind that they end; negative if there is none.
func (f *file) streamAt(pos int, d dict) (raw []byte, size int) {
	rest := f.data[pos:]
	l := &lexer{b: rest}
	l.skip()
	if !bytes.HasPrefix(rest[l.pos:], []byte("stream")) {
		return nil, -1
	}
	start := l.pos + len("stream")
	if start < len(rest) && rest[start] == '\r' {
		start++
	}
	if start < len(rest) && rest[start] == '\n' {
		start++
	}
	if n, ok := d["Length"].(float64); ok && n >= 0 && n <= float64(len(rest)-start) {
		tail := bytes.TrimLeft(rest[start+int(n):min(len(rest), start+int(n)+20)], "\r\n \t")
		if bytes.HasPrefix(tail, []byte("endstream")) {
			return rest[start : start+int(n)], start + int(n)
		}
	}
	e := firstIndex(rest[start:], "endstream")
	raw = rest[start : start+e]
	raw = bytes.TrimSuffix(raw, []byte("\n"))
	return bytes.TrimSuffix(raw, []byte("\r")), start + e
}

// unpackContainers finds the objects in object streams, once the key is known.
func (f *file) unpackContainers() error {
	for n, p := range f.places {
		if p.container != 0 {
			continue
		}
		if s, ok := f.object(n).(*stream); ok && s.dict["Type"] == name("ObjStm") {
			if err := f.unpackContainer(n); err != nil {
				return err
			}
		}
	}
	return nil
}

// unpackContainer finds the objects in an object stream. They come after what stands before the stream in the file.
func (f *file) unpackContainer(n int) error {
	s, ok := f.object(n).(*stream)
	if !ok {
		return nil
	}
	b, err := f.decode(s)
	if err == ErrExpands {
		return err
	}
	count, first := f.int(s.dict["N"]), f.int(s.dict["First"])
	if count < 0 || first < 0 || first > len(b) {
		return nil
	}
	l := &lexer{b: b[:first]}
	for range min(count, maxObjects) {
		number, ok := l.next().(float64)
		offset, ok2 := l.next().(float64)
		if !ok || !ok2 || number < 1 || number > math.MaxInt32 || offset < 0 || int(offset)+first > len(b) {
			break
		}
		if len(f.places) >= maxObjects {
			return ErrExpands
		}
		if known, ok := f.places[int(number)]; ok && known.container == 0 && known.offset > f.places[n].offset {
			continue // it was replaced later in the file
		}
		f.places[int(number)] = place{offset: first + int(offset), container: n}
	}
	return nil
}

// findCatalog looks for the root of a file whose trailer is lost.
func (f *file) findCatalog() dict {
	for n := range f.places {
		if d, ok := f.object(n).(dict); ok && d["Type"] == name("Catalog") {
			return d
		}
	}
	return nil
}

// resolve follows a reference to what it is about.
func (f *file) resolve(o any) any {
	for range maxFollowed {
		r, ok := o.(ref)
		if !ok {
			return o
		}
		o = f.object(r.number)
	}
	return nil
}

// object reads the object of a number; nil if there is none.
func (f *file) object(n int) any {
	if o, ok := f.cache[n]; ok {
		return o
	}
	p, ok := f.places[n]
	if !ok {
		return nil
	}
	if f.lexed > maxRead {
		return nil
	}
	if len(f.cache) >= maxCached || f.cached > maxHeld {
		clear(f.cache)
		f.cached = 0
	}
	o := f.read(n, p)
	f.cache[n] = o
	return o
}

func (f *file) read(n int, p place) any {
	b := f.data
	if p.container != 0 {
		if b = f.container(p.container); p.offset > len(b) {
			return nil
		}
	}
	l := &lexer{b: b, pos: p.offset}
	o := l.next()
	f.lexed, f.cached = f.lexed+int64(l.pos-p.offset), f.cached+l.held
	if p.container != 0 {
		return indirect(l, o)
	}
	if d, ok := o.(dict); ok {
		if raw, size := f.streamAt(l.pos, d); size >= 0 {
			return &stream{dict: d, raw: raw, key: n}
		}
	}
	return f.crypt.object(n, indirect(l, o))
}

// indirect is an object that is nothing but a reference, or the object itself.
func indirect(l *lexer, o any) any {
	if n, ok := o.(float64); ok {
		after := *l
		if _, ok := after.next().(float64); ok && after.next() == keyword("R") {
			return ref{int(n)}
		}
	}
	if _, ok := o.(keyword); ok {
		return nil
	}
	return o
}

// container is an object stream, unpacked. A few are kept.
func (f *file) container(n int) []byte {
	if b, ok := f.held[n]; ok {
		return b
	}
	p := f.places[n]
	if p.container != 0 {
		return nil
	}
	s, ok := f.read(n, p).(*stream)
	if !ok {
		return nil
	}
	b, err := f.decode(s)
	if err != nil {
		return nil
	}
	size := len(b)
	for _, other := range f.held {
		size += len(other)
	}
	if size > maxStream {
		clear(f.held)
	}
	f.held[n] = b
	return b
}

// int is a number of the file, clipped to what any count or offset can be; -1 if it is none.
func (f *file) int(o any) int {
	n, ok := f.resolve(o).(float64)
	if !ok || n < 0 {
		return -1
	}
	return int(min(n, math.MaxInt32))
}

func (f *file) float(o any) float64 {
	n, _ := f.resolve(o).(float64)
	return n
}

func (f *file) dict(o any) dict {
	switch o := f.resolve(o).(type) {
	case dict:
		return o
	case *stream:
		return o.dict
	}
	return nil
}

func (f *file) array(o any) array {
	a, _ := f.resolve(o).(array)
	return a
}

func (f *file) name(o any) name {
	n, _ := f.resolve(o).(name)
	return n
}
