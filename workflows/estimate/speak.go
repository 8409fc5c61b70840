package estimate

import (
	"cmp"
	"fmt"
	"time"

	"levada.dev/workflows/llm/price"
	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/cut"
)

// usualSpeed is how many characters a second of speech has.
const usualSpeed = 15

// speak is texts that are spoken.
func (e *Estimate) speak(t speech.Terms, w Work) error {
	o, err := t.Order(speech.Request{Text: "a", Model: w.Model}) // with the tenant's own voice, format and speed
	if err != nil {
		return err
	}
	m, err := speech.FindModel(o.Model)
	if err != nil {
		return err
	}
	e.Model = m.Name
	chars := *w.Characters
	parts, most := int64(0), int64(0)
	if chars > 0 {
		parts = 1 + ceil(max(0, chars-cut.FirstChars), int64(cut.Limit(m, o)))
		most = 1 + ceil(2*chars, cut.FirstChars)
	}
	e.Expected.call(parts, price.Of(m.Name), price.Units{})
	e.Expected.units(1, price.Of(m.Name), price.Units{Chars: chars, Sound: seconds(chars) / usualSpeed})
	e.Most.Calls, e.Most.Chars = most, chars
	for _, name := range []string{m.Name, cmp.Or(t.Speech.Fallback, m.Name)} {
		fallback, err := speech.FindModel(name)
		if err != nil {
			return err
		}
		nanos, neurons := fallback.Bounds(chars, most)
		e.Most.Nanos, e.Most.Neurons = max(e.Most.Nanos, nanos), max(e.Most.Neurons, neurons)
	}
	e.say(fmt.Sprintf("characters are those of the text; one text is spoken in parts, the first of %d characters and others of what the model takes at once; at most %d on average, as many as begin with a heading or before a long sentence",
		cut.FirstChars, cut.FirstChars/2))
	e.say(fmt.Sprintf("a model that is paid by the minute speaks %d characters a second; at most 4, with five seconds of silence around each part; a text that was spoken before costs nothing", usualSpeed))
	return nil
}

// seconds is so many of them.
func seconds(n int64) time.Duration { return time.Duration(n) * time.Second }
