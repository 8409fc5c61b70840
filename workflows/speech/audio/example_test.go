package audio_test

import (
	"bytes"
	"fmt"
	"math"
	"time"

	"levada.dev/workflows/speech/audio"
)

// Two parts of a narration become one recording: its length, and where each part begins, are known before either is written.
func Example() {
	part := made(16000, 24000, func(t float64) float64 { return math.Sin(440*math.Pi*t) / 2 })
	faster, err := audio.Stretch(part, 1.5)
	if err != nil {
		fmt.Println(err)
		return
	}
	j, err := audio.NewJoin(16000, 1, []audio.Part{{Bytes: int64(len(part.Data))}, {Bytes: int64(len(faster.Data)), Gap: 300 * time.Millisecond}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(j.Size(), "bytes,", j.Duration(), "with the second part at", j.Start(1))

	var whole bytes.Buffer
	whole.Write(j.Header())
	for i, p := range []audio.PCM{part, faster} {
		if err := j.WritePart(&whole, i, p); err != nil {
			fmt.Println(err)
			return
		}
	}
	d, f, err := audio.Duration(whole.Bytes())
	fmt.Println(d, f, f.ContentType(), err)
	// Output:
	// 89644 bytes, 2.8s with the second part at 1.8s
	// 2.8s wav audio/wav <nil>
}
