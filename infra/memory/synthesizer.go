package memory

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/llm/dialect"
	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/audio"
)

// Synthesizer is a speech.Synthesizer that hums: a tone as long as the text, as high as the voice and the text have it, as a WAV. It keeps what it
// has hummed under the line's key, as the gateway does. A text with {"script": turn} in it is said by the turn, as the offline platform's
// @local/voice does. The zero value is ready. Set the functions before it is used.
type Synthesizer struct {
	// Before runs before a call does anything; its error is the call's, and nothing is paid.
	Before func(c llm.Call, l speech.Line) error
	// After runs when the call has been made; its error is the call's, and the money is spent. The gateway has the answer.
	After func(c llm.Call, l speech.Line) error
	// Hum is what is said instead, where it is set and says anything.
	Hum func(c llm.Call, l speech.Line) []byte

	mu     sync.Mutex
	calls  []SpeechCall
	kept   map[string][]byte
	failed map[string]int
}

var _ speech.Synthesizer = (*Synthesizer)(nil)

// SpeechCall is a call that was made.
type SpeechCall struct {
	Tenant tenants.ID
	llm.Call
	Line   speech.Line
	Cached bool
}

// Calls is the calls that were made, oldest first.
func (x *Synthesizer) Calls() []SpeechCall {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Clone(x.calls)
}

// Speak implements speech.Synthesizer.
func (x *Synthesizer) Speak(ctx context.Context, s tenants.Scope, c llm.Call, l speech.Line) (speech.Spoken, error) {
	if err := s.Check(); err != nil {
		return speech.Spoken{}, err
	}
	m, err := speech.FindModel(c.Model)
	if err != nil {
		return speech.Spoken{}, err
	}
	if err := ctx.Err(); err != nil {
		return speech.Spoken{}, fault.Unavailablef(err, "model_unavailable", "model %s did not answer", m.Name)
	}
	if x.Before != nil {
		if err := x.Before(c, l); err != nil {
			return speech.Spoken{}, err
		}
	}
	out, err := x.answer(s, c, m, l)
	if err == nil && x.After != nil {
		err = x.After(c, l)
	}
	if err != nil {
		return speech.Spoken{LogID: out.LogID, Cached: out.Cached}, err
	}
	return out, nil
}

// answer is what the gateway has, or what is said.
func (x *Synthesizer) answer(s tenants.Scope, c llm.Call, m speech.Model, l speech.Line) (speech.Spoken, error) {
	key := fmt.Sprintf("%s\n%s\n%+v", s.Key("speech"), m.Name, l)
	x.mu.Lock()
	b, kept := x.kept[key]
	x.calls = append(x.calls, SpeechCall{s.Tenant(), c, l, kept})
	x.mu.Unlock()
	if !kept {
		var err error
		if b, err = x.say(c, m, l); err != nil {
			return speech.Spoken{}, err
		}
	}
	if l.Key != "" {
		x.mu.Lock()
		if x.kept == nil {
			x.kept = map[string][]byte{}
		}
		x.kept[key] = b
		x.mu.Unlock()
	}
	out := speech.Spoken{Audio: bytes.Clone(b), Format: audio.Sniff(b), LogID: "test", Cached: kept}
	if string(b) == cut {
		return out, speech.ErrUnreadable(m.Name, nil)
	}
	return out, nil
}

func (x *Synthesizer) say(c llm.Call, m speech.Model, l speech.Line) ([]byte, error) {
	if l.Text == "" || !slices.Contains(m.Voices, l.Voice) || m.Dialect != speech.Melo && !slices.Contains(m.Formats, l.Format) {
		return nil, dialect.Refusal(m.Name, 400, []byte(`{"internalCode":5006,"description":"no text, or not the model's voice or format"}`), time.Now())
	}
	text, whole, err := x.scripted(m, l.Text)
	if err != nil {
		return nil, err
	}
	if !whole {
		return []byte(cut), nil
	}
	if x.Hum != nil {
		if b := x.Hum(c, l); b != nil {
			return b, nil
		}
	}
	return hum(text, l.Voice), nil
}

// cut is what there is of an answer that is cut off in its header.
const cut = "RI"

// scripted is what a text has said of it: itself, or what the script in it dictates, and whether that comes whole.
func (x *Synthesizer) scripted(m speech.Model, text string) (said string, whole bool, err error) {
	script, t, err := readScript(llm.GenerationModel{Name: m.Name}, llm.Prompt{Messages: []llm.Message{{Role: llm.User, Content: text}}})
	if err != nil || script == "" {
		return text, true, err
	}
	if t.Error != nil && x.fails(script, t.Times) {
		body, _ := json.Marshal(map[string]any{"internalCode": t.Error.Code, "description": t.Error.Text})
		return "", false, dialect.Refusal(m.Name, t.Error.Status, body, time.Now())
	}
	for _, token := range t.Tokens {
		said += token
	}
	return said, t.CutAfter == nil || !x.fails(script, t.Times), nil
}

// fails counts a failure of a script and says whether it still has one to give.
func (x *Synthesizer) fails(script string, times int) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.failed == nil {
		x.failed = map[string]int{}
	}
	x.failed[script]++
	return times == 0 || x.failed[script] <= times
}

// What is hummed: humRate samples a second, and humSamples for each character, which is 50 ms.
const (
	humRate    = 8_000
	humSamples = humRate / 20
)

func hum(text, voice string) []byte {
	h := fnv.New32a()
	h.Write([]byte(voice + "\n" + text))
	hertz := 100 + float64(h.Sum32()%10_000)/25 // 100 to 500
	n := humSamples * utf8.RuneCountInString(text)
	b, err := audio.Header(humRate, 1, int64(2*n))
	if err != nil {
		panic(err) // texts are not so long
	}
	for i := range n {
		b = binary.LittleEndian.AppendUint16(b, uint16(int16(10_000*math.Sin(2*math.Pi*hertz*float64(i)/humRate))))
	}
	return b
}
