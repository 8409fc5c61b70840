package record

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/audio"
	"levada.dev/workflows/speech/cut"
)

// Ports are what a Recorder works on.
type Ports struct {
	Booth       speech.Booth
	Sounds      speech.Sounds
	Synthesizer speech.Synthesizer // pays
	Directory   tenants.Directory  // says who speaks when the model does not
}

// Recorder makes takes. It is safe for concurrent use.
type Recorder struct {
	Ports
	room Room
}

// Room waits until there is so much memory for a part, and returns the way to give it back. consumers.Room has one.
type Room func(ctx context.Context, bytes int64) (leave func(), err error)

const (
	// partsAtOnce is how many parts of a take are spoken at a time.
	partsAtOnce = 3
	// roomBytes is what the parts of all takes in an instance may take together: three of samples.
	roomBytes = 36 << 20
	// packedBytes is what a character of what is compressed takes while its part is in memory, and soundingBytes one of samples for each of a second:
	// 84 ms of them, two bytes each.
	packedBytes   = 1200
	soundingBytes = 0.084 * 2
	// gap is the silence between two parts, and chapterGap before a chapter.
	gap        = 250 * time.Millisecond
	chapterGap = time.Second
)

// New makes a recorder.
func New(p Ports) *Recorder { return &Recorder{p, ownRoom()} }

// Within makes the recorder keep to a room that it shares with others, and returns it.
func (r *Recorder) Within(room Room) *Recorder {
	r.room = room
	return r
}

// ownRoom is that of a recorder that shares none.
func ownRoom() Room {
	free := semaphore.NewWeighted(roomBytes)
	return func(ctx context.Context, bytes int64) (func(), error) {
		bytes = min(bytes, roomBytes)
		if err := free.Acquire(ctx, bytes); err != nil {
			return nil, fault.Unavailablef(err, "memory_busy", "there was no room for it")
		}
		return func() { free.Release(bytes) }, nil
	}
}

// enter waits until there is room for a part: as it came, and as it is stretched and faded.
func (r *Recorder) enter(ctx context.Context, c *speech.Claim, i int) (leave func(), err error) {
	per := float64(packedBytes)
	if m, err := speech.FindModel(c.Order.Model); err == nil && c.Order.Format == audio.WAV {
		per = soundingBytes * float64(m.Rate) * (1 + 2*100/float64(max(1, c.Order.Speed)))
	}
	return r.room(ctx, int64(per*float64(c.Cuts[i].Chars)))
}

// Record makes a whole take: it claims it, or goes on with the claim that it is given. What is over is no error: somebody else has seen to it. A take
// that cannot be made is ended as failed; a fault that may pass is returned, and what was spoken until then is kept.
func (r *Recorder) Record(ctx context.Context, s tenants.Scope, take string, c *speech.Claim) error {
	if c == nil {
		claim, err := r.Booth.Claim(ctx, s, take)
		if err != nil {
			return over(err)
		}
		c = &claim
	}
	missing := c.Missing()
	if err := r.Speak(ctx, s, c, missing); err != nil {
		return r.failed(ctx, s, c.Ticket, err)
	}
	return over(r.Booth.End(ctx, s, c.Ticket, nil))
}

// failed ends a take for which there is no hope.
func (r *Recorder) failed(ctx context.Context, s tenants.Scope, t speech.Ticket, err error) error {
	if fault.As(err).Code == speech.CodeOver {
		return nil
	}
	if !Hopeless(err) {
		return err
	}
	return over(r.Booth.End(ctx, s, t, speech.Problem(err)))
}

// Hopeless reports whether a take fails for a fault: it does not pass, or not so soon that somebody would wait for it, as with a budget that is used up or
// a quota of the model's, or answers that were of no use each time.
func Hopeless(err error) bool {
	return !fault.Retryable(err) || fault.Is(err, fault.Limited) || spoilt(err)
}

// spoilt reports whether a model has answered, and with what is of no use.
func spoilt(err error) bool {
	code := fault.As(err).Code
	return code == speech.CodeUnreadable || code == codeDiffers
}

func over(err error) error {
	if fault.As(err).Code == speech.CodeOver {
		return nil
	}
	return err
}

// Speak has parts of a claimed take spoken and kept, and notes each as it comes. The first of all says who speaks the others, so it is spoken alone.
// When one fails no other is begun; those that were are paid, so they are kept.
func (r *Recorder) Speak(ctx context.Context, s tenants.Scope, c *speech.Claim, parts []int) error {
	if len(parts) == 0 {
		return nil
	}
	defer r.alive(ctx, s, c.Ticket)()
	if c.Tape.Format == "" {
		if err := r.first(ctx, s, c, parts[0]); err != nil {
			return err
		}
		parts = parts[1:]
	}
	var g errgroup.Group
	g.SetLimit(partsAtOnce)
	var failed atomic.Bool
	for _, i := range parts {
		g.Go(func() error {
			if failed.Load() {
				return nil
			}
			err := r.part(ctx, s, c, c.Tape, i)
			if err != nil {
				failed.Store(true)
			}
			return err
		})
	}
	return g.Wait()
}

// alive gives news of a take while it is made, however long a part takes, so that nobody takes it for lost. It returns the way to end that.
func (r *Recorder) alive(ctx context.Context, s tenants.Scope, t speech.Ticket) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		every := time.NewTicker(speech.NewsEvery)
		defer every.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-every.C:
			}
			if err := r.Booth.Add(ctx, s, t, speech.Tape{}); err != nil && over(err) == nil {
				return // somebody else's; of what else fails, the next may come through
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// first speaks a part, and so finds out who speaks: the order's model, or the tenant's fallback when that does not.
func (r *Recorder) first(ctx context.Context, s tenants.Scope, c *speech.Claim, i int) error {
	leave, err := r.enter(ctx, c, i)
	if err != nil {
		return err
	}
	defer leave()
	tape := c.Tape
	tape.Model, tape.Voice, tape.Format = c.Order.Model, c.Order.Voice, c.Order.Format
	spoken, err := r.say(ctx, s, c, &tape, i, true)
	if fault.Is(err, fault.Unavailable) {
		other, found, configured := r.fallback(ctx, s, c.Order)
		if configured != nil {
			return configured
		}
		if found {
			tape.Model, tape.Voice = other.Model, other.Voice
			lost := spoken // what the first took
			spoken, err = r.say(ctx, s, c, &tape, i, false)
			spoken.nanos += lost.nanos
			spoken.chars += lost.chars
		}
	}
	if err != nil {
		return err
	}
	return r.keep(ctx, s, c, &tape, i, spoken)
}

// fallback is who speaks the order when its model does not, if there is anybody who can.
func (r *Recorder) fallback(ctx context.Context, s tenants.Scope, o speech.Order) (speech.Order, bool, error) {
	config, err := r.Directory.Config(ctx, s.Tenant())
	if err != nil {
		return o, false, err
	}
	name := config.Speech.Fallback
	if name == "" || name == o.Model {
		return o, false, nil
	}
	terms := speech.Terms{Speech: config.Speech}
	other, err := terms.Order(speech.Request{Text: o.Text, Model: name, Format: string(o.Format), Speed: float64(o.Speed) / 100})
	if m, unknown := speech.FindModel(name); unknown == nil && slices.Contains(m.Voices, o.Voice) {
		other.Voice = o.Voice // the same name is the same speaker, of another generation
	}
	if err != nil {
		return o, false, nil // it cannot speak this: the first model's fault is told
	}
	return other, true, nil
}

// part speaks a part as the tape has begun.
func (r *Recorder) part(ctx context.Context, s tenants.Scope, c *speech.Claim, tape speech.Tape, i int) error {
	leave, err := r.enter(ctx, c, i)
	if err != nil {
		return err
	}
	defer leave()
	spoken, err := r.say(ctx, s, c, &tape, i, false)
	if err != nil {
		return err
	}
	return r.keep(ctx, s, c, &tape, i, spoken)
}

// said is a part that was spoken, as it is kept.
type said struct {
	bytes    []byte
	duration time.Duration
	nanos    int64 // what all of its tries took,
	chars    int   // and how many characters were paid
}

// tries is how often a part is asked for, each time under a key of its own, while what the model answers is of no use: so often a part is paid at most.
const tries = 3

// say has a part spoken. An answer that is of no use is in the gateway like any other, so the next try asks for it under another key: so does whoever
// comes later and finds it there.
func (r *Recorder) say(ctx context.Context, s tenants.Scope, c *speech.Claim, tape *speech.Tape, i int, impatient bool) (out said, err error) {
	call := llm.Call{Model: tape.Model, Purpose: llm.ForSpeech, RequestID: c.Cause.ID, Impatient: impatient}
	line := speech.Line{Text: cut.Spoken(c.Order.Text, c.Cuts[i]), Voice: tape.Voice, Format: tape.Format, Key: fmt.Sprintf("%s/%d", tape.Reel, i)}
	metered := llm.Metered(ctx, func(_, nanos int64) {
		out.nanos += nanos
		out.chars += utf8.RuneCountInString(line.Text)
	})
	for try := 1; ; try++ {
		var spoken speech.Spoken
		if spoken, err = r.Synthesizer.Speak(metered, s, call, line); err == nil {
			out.bytes, out.duration, err = shape(c, tape, i, spoken)
		}
		if err == nil {
			return out, nil
		}
		if again := spoilt(err) || spoken.Cached && fault.Retryable(err); !again || try == tries || ctx.Err() != nil {
			return out, fmt.Errorf("part %d: %w", i, err)
		}
		line.Key = fmt.Sprintf("%s/%d.%d", tape.Reel, i, try)
	}
}

// keep keeps what was spoken, and notes it.
func (r *Recorder) keep(ctx context.Context, s tenants.Scope, c *speech.Claim, tape *speech.Tape, i int, spoken said) error {
	sum := sha256.Sum256(spoken.bytes)
	p := speech.Part{Index: i, Name: hex.EncodeToString(sum[:16]), Bytes: int64(len(spoken.bytes)), Duration: spoken.duration, Nanos: spoken.nanos, Chars: spoken.chars}
	if err := r.Sounds.Put(ctx, s, tape.Reel, p.Name, spoken.bytes); err != nil {
		return fmt.Errorf("keep part %d: %w", i, err)
	}
	head := *tape
	head.Parts = []speech.Part{p}
	if err := r.Booth.Add(ctx, s, c.Ticket, head); err != nil {
		return err
	}
	if c.Tape.Format == "" {
		c.Tape = head
	}
	return nil
}

// codeDiffers is the fault of a part that cannot be joined to the others.
const codeDiffers = "audio_differs"

// errDiffers is codeDiffers as a fault. The model may do better the next time.
func errDiffers(what string) error {
	return fault.Unavailablef(nil, codeDiffers, "a part came with another %s than the first", what)
}

// shape is what is kept of a part: of WAV its samples, faded and behind a silence, of MP3 its frames, of the rest all. The first part says what the
// others are held against.
func shape(c *speech.Claim, tape *speech.Tape, i int, spoken speech.Spoken) ([]byte, time.Duration, error) {
	if c.Tape.Format == "" {
		tape.Format = spoken.Format
	}
	if spoken.Format != tape.Format {
		return nil, 0, errDiffers("format")
	}
	if c.Order.Speed != 100 && spoken.Format != audio.WAV { // what was asked for and what came are not the same format
		return nil, 0, fault.Invalidf("speed", "speed_unsupported", "the model answered %s, whose speed cannot be changed", spoken.Format).WithHint("ask for the speed 1")
	}
	switch spoken.Format {
	case audio.WAV:
		return wav(c, tape, i, spoken.Audio)
	case audio.MP3:
		d, _, err := audio.Duration(spoken.Audio)
		return audio.StripTags(spoken.Audio), d, err
	}
	if len(c.Cuts) > 1 {
		return nil, 0, fault.Invalidf("format", "unsupported_format", "parts of %s cannot be joined", spoken.Format).WithHint("ask for wav or mp3")
	}
	d, _, err := audio.Duration(spoken.Audio)
	return spoken.Audio, d, err
}

func wav(c *speech.Claim, tape *speech.Tape, i int, b []byte) ([]byte, time.Duration, error) {
	pcm, err := audio.ReadWAV(b)
	if err != nil {
		return nil, 0, err
	}
	if c.Order.Speed != 100 {
		if pcm, err = audio.Stretch(pcm, float64(c.Order.Speed)/100); err != nil {
			return nil, 0, err
		}
	}
	if tape.Rate == 0 {
		tape.Rate, tape.Channels = pcm.Rate, pcm.Channels
	}
	if pcm.Rate != tape.Rate || pcm.Channels != tape.Channels {
		return nil, 0, errDiffers("rate")
	}
	j, err := audio.NewJoin(tape.Rate, tape.Channels, []audio.Part{{Bytes: int64(len(pcm.Data)), Gap: before(c.Cuts, i)}})
	if err != nil {
		return nil, 0, err
	}
	var out bytes.Buffer
	out.Grow(int(j.Size()))
	if err := j.WritePart(&out, 0, pcm); err != nil {
		return nil, 0, err
	}
	return out.Bytes(), j.Duration(), nil
}

// before is the silence that a part begins with.
func before(cuts []speech.Cut, i int) time.Duration {
	switch {
	case i == 0:
		return 0
	case cuts[i].Chapter != "":
		return chapterGap
	}
	return gap
}
