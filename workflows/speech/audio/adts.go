package audio

import "time"

// ratesADTS are the rates that the header of a frame of AAC can name.
var ratesADTS = [13]int{96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350}

// headerADTS reads the header of a frame of AAC in ADTS (ISO 13818-7): its bytes, its rate and its samples. The size is 0 when there is none.
func headerADTS(b []byte) (size, rate, samples int) {
	if len(b) < 7 || b[0] != 0xFF || b[1]&0xF6 != 0xF0 || int(b[2]>>2&15) >= len(ratesADTS) {
		return 0, 0, 0
	}
	size = int(b[3]&3)<<11 | int(b[4])<<3 | int(b[5])>>5
	if size < 7 {
		return 0, 0, 0
	}
	return size, ratesADTS[b[2]>>2&15], 1024 * (1 + int(b[6]&3))
}

func startsADTS(b []byte) bool {
	size, _, _ := headerADTS(b)
	if size == 0 || len(b) < size+7 {
		return size > 0
	}
	next, _, _ := headerADTS(b[size:])
	return next > 0
}

// lengthADTS is how long the whole frames at the beginning of b are.
func lengthADTS(b []byte) (d time.Duration) {
	all, of := int64(0), 0
	for {
		size, rate, samples := headerADTS(b)
		if size == 0 || size > len(b) {
			return d + span(all, of)
		}
		if rate != of {
			d += span(all, of)
			all, of = 0, rate
		}
		all += int64(samples)
		b = b[size:]
	}
}
