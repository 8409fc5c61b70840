package voice

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"time"
)

// Wave is speech: samples of 16 bits, one channel.
type Wave struct {
	Rate    int // samples a second
	Samples []int16
}

// headerSize is the size of a RIFF header with nothing but a format and the data's length in it.
const headerSize = 44

// readWave reads what the program writes: a RIFF file, whose header says the rate. Its length is not believed, but counted.
func readWave(raw []byte) (*Wave, error) {
	if len(raw) < headerSize || string(raw[:4]) != "RIFF" || string(raw[36:40]) != "data" {
		return nil, errors.New("the voices wrote no RIFF file")
	}
	w := &Wave{Rate: int(binary.LittleEndian.Uint32(raw[24:]))}
	w.Samples = make([]int16, (len(raw)-headerSize)/2)
	for i := range w.Samples {
		w.Samples[i] = int16(binary.LittleEndian.Uint16(raw[headerSize+2*i:]))
	}
	return w, nil
}

// Duration is how long it takes.
func (w *Wave) Duration() time.Duration {
	return time.Duration(len(w.Samples)) * time.Second / time.Duration(w.Rate)
}

// PCM is the samples alone, the low byte of each first.
func (w *Wave) PCM() []byte {
	out := make([]byte, 0, 2*len(w.Samples))
	for _, s := range w.Samples {
		out = binary.LittleEndian.AppendUint16(out, uint16(s))
	}
	return out
}

// RIFF is a WAV file of it.
func (w *Wave) RIFF() []byte {
	data := 2 * len(w.Samples)
	var b bytes.Buffer
	b.Grow(headerSize + data)
	b.WriteString("RIFF")
	le := func(v any) { binary.Write(&b, binary.LittleEndian, v) }
	le(uint32(headerSize - 8 + data))
	b.WriteString("WAVEfmt ")
	le(uint32(16))
	le([]uint16{1, 1}) // PCM, one channel
	le([]uint32{uint32(w.Rate), uint32(2 * w.Rate)})
	le([]uint16{2, 16})
	b.WriteString("data")
	le(uint32(data))
	b.Write(w.PCM())
	return b.Bytes()
}

// lobes is how many zero crossings of the filter are looked at on each side of a sample.
const lobes = 16

// At is the same speech at another rate, with as many samples as it takes, rounded down, and no frequency that the rate cannot have.
func (w *Wave) At(rate int) *Wave {
	up, down := rate, w.Rate
	for a, b := up, down; ; a, b = b, a%b {
		if b == 0 {
			up, down = up/a, down/a
			break
		}
	}
	if up == down {
		return w
	}
	out := &Wave{rate, make([]int16, len(w.Samples)*up/down)}
	phases, half := filter(up, down)
	for i := range out.Samples {
		at := i * down
		first, sum := at/up-half+1, 0.0
		for k, c := range phases[at%up] {
			if j := first + k; j >= 0 && j < len(w.Samples) {
				sum += c * float64(w.Samples[j])
			}
		}
		out.Samples[i] = int16(max(math.MinInt16, min(math.MaxInt16, math.Round(sum))))
	}
	return out
}

// filter is a windowed sinc for each place that a sample may have between two of the source, and how many of them it reaches to.
func filter(up, down int) (phases [][]float64, half int) {
	cutoff := min(1, float64(up)/float64(down)) * .95
	half = int(math.Ceil(lobes / cutoff))
	phases = make([][]float64, up)
	for p := range phases {
		c, sum := make([]float64, 2*half), 0.0
		for k := range c {
			x := float64(k-half+1) - float64(p)/float64(up)
			c[k] = sinc(cutoff*x) * (.5 + .5*math.Cos(math.Pi*x/float64(half)))
			sum += c[k]
		}
		for k := range c {
			c[k] /= sum
		}
		phases[p] = c
	}
	return phases, half
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}
