package play

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sort"
	"sync"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/speech"
)

// Player is the file of a whole tape. It opens a part when it is read and not before, one at a time. A part that is not as long as it was noted to be
// is an Unavailable fault, code CodeBroken; one that is gone is what speech.Sounds says. After the first fault, or Close, nothing is read any more.
// It may be closed while it is read.
type Player struct {
	ctx    context.Context
	sounds speech.Sounds
	scope  tenants.Scope
	tape   speech.Tape
	header []byte
	starts []int64 // of each part in the file, and its end

	mu   sync.Mutex
	pos  int64
	most int64 // what is opened goes no further
	part io.ReadCloser
	at   int64 // of the file, where part is read next
	end  int64 // of what part was opened for
	err  error
}

// CodeBroken is what a kept part is that is shorter than it should be.
const CodeBroken = "sound_broken"

// New makes a player of a tape of the tenant's that nothing is missing of, which works until ctx ends.
func New(ctx context.Context, sounds speech.Sounds, s tenants.Scope, tape speech.Tape) (*Player, error) {
	if !tape.Whole() {
		return nil, fault.New(fault.Internal, "tape_incomplete", "a tape is played before it is whole", nil)
	}
	header, err := tape.Header()
	if err != nil {
		return nil, err
	}
	p := &Player{ctx: ctx, sounds: sounds, scope: s, tape: tape, header: header, starts: make([]int64, 0, len(tape.Parts)+1)}
	at := int64(len(header))
	for _, part := range tape.Parts {
		p.starts = append(p.starts, at)
		at += part.Bytes
	}
	p.starts, p.most = append(p.starts, at), at
	return p, nil
}

// Size is how many bytes the file has.
func (p *Player) Size() int64 { return p.starts[len(p.starts)-1] }

// Seek implements io.Seeker.
func (p *Player) Seek(offset int64, whence int) (int64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch whence {
	case io.SeekCurrent:
		offset += p.pos
	case io.SeekEnd:
		offset += p.Size()
	}
	if offset < 0 {
		return 0, errors.New("play: a seek to before the beginning")
	}
	p.pos, p.most = offset, p.Size()
	return offset, nil
}

// Cue opens what is read next, so that a fault is known before anything is said of it, and no more than n bytes of it.
func (p *Player) Cue(n int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.most = min(p.pos+n, p.Size())
	if from := max(p.pos, int64(len(p.header))); p.err == nil && from < p.most {
		p.err = p.open(from)
	}
	return p.err
}

// Read implements io.Reader.
func (p *Player) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.err != nil:
		return 0, p.err
	case p.pos >= p.Size():
		return 0, io.EOF
	case p.pos < int64(len(p.header)):
		n := copy(b, p.header[p.pos:])
		p.pos += int64(n)
		return n, nil
	}
	if p.part == nil || p.at != p.pos || p.at == p.end {
		if p.pos >= p.most { // more is read than was cued
			p.most = p.Size()
		}
		if p.err = p.open(p.pos); p.err != nil {
			return 0, p.err
		}
	}
	n, err := p.part.Read(b[:min(int64(len(b)), p.end-p.at)])
	p.pos, p.at = p.pos+int64(n), p.at+int64(n)
	switch {
	case errors.Is(err, io.EOF) && p.at < p.end:
		p.err = fault.Unavailablef(nil, CodeBroken, "a part ends %d bytes before its end", p.end-p.at)
	case err != nil && !errors.Is(err, io.EOF):
		p.err = fmt.Errorf("read the sound: %w", err)
	}
	return n, p.err
}

// open opens the part that has the byte at from, from there on.
func (p *Player) open(from int64) error {
	p.drop()
	i := sort.Search(len(p.tape.Parts), func(i int) bool { return p.starts[i+1] > from })
	p.at, p.end = from, min(p.starts[i+1], p.most)
	part, err := p.sounds.Open(p.ctx, p.scope, p.tape.Reel, p.tape.Parts[i].Name, from-p.starts[i], p.end-from)
	if err != nil {
		return fmt.Errorf("open part %d: %w", i, err)
	}
	p.part = part
	return nil
}

func (p *Player) drop() {
	if p.part != nil {
		_ = p.part.Close() // nothing is lost that was read
		p.part = nil
	}
}

// Err is the fault that ended the reading.
func (p *Player) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// Close implements io.Closer.
func (p *Player) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop()
	if p.err == nil {
		p.err = errClosed
	}
	return nil
}

var errClosed = errors.New("play: closed")

// Part writes one part to w, as it is kept.
func Part(ctx context.Context, sounds speech.Sounds, s tenants.Scope, reel string, part speech.Part, w io.Writer) error {
	sound, err := sounds.Open(ctx, s, reel, part.Name, 0, part.Bytes)
	if err != nil {
		return fmt.Errorf("open part %d: %w", part.Index, err)
	}
	defer func() { _ = sound.Close() }()
	n, err := io.CopyN(w, sound, part.Bytes)
	if errors.Is(err, io.EOF) {
		return fault.Unavailablef(nil, CodeBroken, "part %d ends %d bytes before its end", part.Index, part.Bytes-n)
	}
	return err
}
