package audio

import (
	"encoding/binary"
	"math"

	"levada.dev/events/fault"
)

// The slowest and the fastest that speech can be made.
const (
	Slowest = 0.25
	Fastest = 4.0
)

// Stretch is speech of one channel made faster (2 is twice as fast) or slower, its pitch kept: round(n/speed) samples of n. It takes time that grows
// with the length, and memory for the result alone. More than one channel, and a speed beyond Slowest and Fastest, are an Invalid fault.
//
// It is WSOLA (W. Verhelst and M. Roelands, "An overlap-add technique based on waveform similarity (WSOLA) for high quality time-scale modification
// of speech", ICASSP 1993): blocks of the sound, each from about where the time has come to, each faded into from what would have followed the one
// before, at the place near by where the two are most alike (by the sum of differences, one of the measures that they name).
func Stretch(p PCM, speed float64) (PCM, error) {
	if !(speed >= Slowest && speed <= Fastest) {
		return PCM{}, fault.Invalidf("speed", "speed_unsupported", "speed %v is not between %v and %v; choose one that is", speed, Slowest, Fastest)
	}
	if p.Channels != 1 || p.Rate < 1 || p.Rate > maxRate {
		return PCM{}, fault.Invalidf("audio", "audio_unreadable", "%d channels of %d samples a second cannot be stretched; ask the model for mono at 24000", p.Channels, p.Rate)
	}
	n := p.Frames()
	made := int(math.Round(float64(n) / speed))
	if made == n {
		return p, nil
	}
	s := stretch{in: p, n: n, out: make([]byte, 0, 2*made)}
	if block := p.Rate * blockMillis / 1000; block > 0 && n >= 4*block && made >= 4*block {
		s.search, s.coarse = p.Rate*searchMillis/1000, max(1, p.Rate/8000)
		s.run(made, block)
	} else {
		s.resample(made)
	}
	return PCM{Rate: p.Rate, Channels: 1, Data: s.out}, nil
}

// How long the blocks are, and how far on either side of the time a place is looked for: together they have room for a period of the lowest voices.
const (
	blockMillis  = 15
	searchMillis = 10
)

// stretch is a sound in the making.
type stretch struct {
	in     PCM
	n      int // samples of it
	out    []byte
	search int // samples to either side
	coarse int // steps of the first look
}

// run makes so many samples, in blocks that differ by one sample at most.
func (s *stretch) run(made, block int) {
	blocks := made / block
	longest := (made + blocks - 1) / blocks
	last := made / blocks
	slope := float64(s.n-longest) / float64(made-last) // so that the last block ends where the sound does
	on := 0                                            // what would follow the block before
	for k := range blocks {
		from, to := k*made/blocks, (k+1)*made/blocks
		size, room := to-from, 2*longest // what follows a block has to be there, but after the last
		if k == blocks-1 {
			room = longest
		}
		at := 0
		if k > 0 {
			at = s.alike(on, min(int(math.Round(slope*float64(from))), s.n-room), size, s.n-room)
		}
		s.fade(on, at, size)
		on = at + size
	}
}

// alike is the place about at, up to most, from where the sound goes on most like it does from on. At either end of the sound it looks as far as
// elsewhere, to one side.
func (s *stretch) alike(on, at, size, most int) int {
	best, least := at, s.difference(on, at, size, s.coarse, math.MaxInt)
	first, last := max(0, min(at-s.search, most-2*s.search)), min(most, max(at+s.search, 2*s.search))
	for to := first; to <= last; to += s.coarse {
		if d := s.difference(on, to, size, s.coarse, least); d < least {
			best, least = to, d
		}
	}
	if s.coarse == 1 || least == 0 {
		return best
	}
	near := best
	least = s.difference(on, near, size, 1, math.MaxInt)
	for to := max(0, near-s.coarse+1); to <= min(most, near+s.coarse-1); to++ {
		if d := s.difference(on, to, size, 1, least); d < least {
			best, least = to, d
		}
	}
	return best
}

// difference is how far the sound from a and from b on are apart, by every step-th sample; it gives up above enough.
func (s *stretch) difference(a, b, size, step, enough int) (sum int) {
	for i := 0; i < size && sum < enough; i += step {
		d := s.in.sample(a+i) - s.in.sample(b+i)
		sum += max(d, -d)
	}
	return sum
}

// fade appends a block that begins as the sound from a does, and ends as that from b.
func (s *stretch) fade(a, b, size int) {
	for i := range size {
		g := (1 - math.Cos(math.Pi*float64(i)/float64(size))) / 2
		s.add((1-g)*float64(s.in.sample(a+i)) + g*float64(s.in.sample(b+i)))
	}
}

// resample makes so many samples of a sound that is too short to have a pitch.
func (s *stretch) resample(made int) {
	for i := range made {
		at := float64(i) * float64(s.n-1) / float64(max(1, made-1))
		whole := min(int(at), s.n-1)
		next := min(whole+1, s.n-1)
		s.add(float64(s.in.sample(whole)) + (at-float64(whole))*float64(s.in.sample(next)-s.in.sample(whole)))
	}
}

func (s *stretch) add(sample float64) {
	s.out = binary.LittleEndian.AppendUint16(s.out, uint16(int16(math.Round(sample))))
}
