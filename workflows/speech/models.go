package speech

import (
	"slices"
	"strings"
	"sync"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants/quota"
	"levada.dev/workflows/llm/price"
	"levada.dev/workflows/speech/audio"
)

// Model is what the platform must know of a model that speaks.
type Model struct {
	Name     string // the provider's
	Language string // BCP 47
	Voices   []string
	Formats  []audio.Format // that it gives, the best first
	// MaxChars is how many characters it takes at once.
	MaxChars int
	// USD and Neurons are its price, in billionths and in millionths: of a character that it reads, or of a minute that it speaks.
	USD     price.Rate
	Neurons price.Rate
	// Rate is of its samples, in WAV: how much memory a part takes goes by it.
	Rate    int
	Dialect Dialect
}

// Dialect is how a model is asked, and how it answers.
type Dialect int

// The dialects of Workers AI.
const (
	Aura  Dialect = iota // text, speaker, encoding; answers bytes
	Melo                 // prompt, lang; answers JSON with base64
	Local                // of the local platform's own voices: as Aura
)

// LocalModel is spoken by the local platform alone, with its own voices: for tests and benchmarks.
const LocalModel = "@local/voice"

// models are all that speak. Voices and formats: https://developers.cloudflare.com/workers-ai/models/aura-1/, aura-2-en, aura-2-es and
// melotts. What they take at once is the provider's own limit: https://developers.deepgram.com/docs/text-to-speech.
// melotts does not say which format it answers in, and has no choice of one; what comes is WAV.
var models = sync.OnceValue(func() []Model {
	all := known()
	for i, m := range all {
		p := price.Of(m.Name)
		all[i].USD, all[i].Neurons = p.USD, p.Neurons
	}
	return all
})

func known() []Model {
	return []Model{
		{
			Name: "@cf/deepgram/aura-2-en", Language: "en", MaxChars: 2_000, Rate: 24_000, Dialect: Aura,
			Formats: []audio.Format{audio.MP3, audio.WAV, audio.Opus},
			Voices: []string{
				"luna", "amalthea", "andromeda", "apollo", "arcas", "aries", "asteria", "athena", "atlas", "aurora", "callista", "cora", "cordelia",
				"delia", "draco", "electra", "harmonia", "helena", "hera", "hermes", "hyperion", "iris", "janus", "juno", "jupiter", "mars", "minerva",
				"neptune", "odysseus", "ophelia", "orion", "orpheus", "pandora", "phoebe", "pluto", "saturn", "thalia", "theia", "vesta", "zeus",
			},
		},
		{
			Name: "@cf/deepgram/aura-2-es", Language: "es", MaxChars: 2_000, Rate: 24_000, Dialect: Aura,
			Formats: []audio.Format{audio.MP3, audio.WAV, audio.Opus},
			Voices:  []string{"aquila", "sirio", "nestor", "carina", "celeste", "alvaro", "diana", "selena", "estrella", "javier"},
		},
		{
			Name: "@cf/deepgram/aura-1", Language: "en", MaxChars: 2_000, Rate: 24_000, Dialect: Aura,
			Formats: []audio.Format{audio.MP3, audio.WAV, audio.Opus},
			Voices:  []string{"angus", "asteria", "arcas", "orion", "orpheus", "athena", "luna", "zeus", "perseus", "helios", "hera", "stella"},
		},
		{
			Name: "@cf/myshell-ai/melotts", Language: "en", MaxChars: 2_000, Rate: 44_100, Dialect: Melo,
			Formats: []audio.Format{audio.WAV},
			Voices:  []string{"en", "es", "fr", "zh", "jp", "kr"},
		},
		{
			Name: LocalModel, Language: "en", MaxChars: 2_000, Rate: 24_000, Dialect: Local,
			Formats: []audio.Format{audio.WAV},
			Voices:  []string{"kal16", "kal", "slt", "rms", "awb"},
		},
	}
}

// Models lists the models.
func Models() []Model { return slices.Clone(models()) }

// FindModel looks a model up by its name.
func FindModel(name string) (Model, error) {
	for _, m := range models() {
		if m.Name == name {
			return m, nil
		}
	}
	return Model{}, fault.Invalidf("model", "model_unknown", "no model %.128q that speaks", name).WithHint("there are " + strings.Join(names(), ", "))
}

// Voices are the voices of each model, for whoever checks configurations; those of the local platform too, where that is what they are for.
func Voices(local bool) map[string][]string {
	all := map[string][]string{}
	for _, m := range models() {
		if local || m.Dialect != Local {
			all[m.Name] = m.Voices
		}
	}
	return all
}

// Formats are the formats of each model, the best first, for the same.
func Formats() map[string][]string {
	all := map[string][]string{}
	for _, m := range models() {
		for _, f := range m.Formats {
			all[m.Name] = append(all[m.Name], string(f))
		}
	}
	return all
}

func names() []string {
	var all []string
	for _, m := range models() {
		if m.Dialect != Local {
			all = append(all, m.Name)
		}
	}
	return all
}

// slowest is how long a character takes at most, to bound what a model costs that is paid by time. Speech has 12 to 18 characters a second.
// Around it is silence, of pause at most: a single word takes longer than its characters.
const (
	slowest = 250 * time.Millisecond
	pause   = 5 * time.Second
)

// Bound is more than speaking so many characters costs.
func (m Model) Bound(chars int) int64 { return m.USD.Of(bound(int64(chars), 1)) }

// Bounds is more than speaking so many characters in so many calls costs, in billionths of a US dollar and in neurons.
func (m Model) Bounds(chars, calls int64) (nanos int64, neurons quota.Neurons) {
	u := bound(chars, calls)
	nanos, neurons = m.USD.Of(u), quota.Neurons(m.Neurons.Of(u))
	if m.USD.Minute > 0 { // a part of one is rounded up in each call
		nanos, neurons = nanos+calls, neurons+quota.Neurons(calls)
	}
	return nanos, neurons
}

// Price is what speaking so many characters has cost that took so long.
func (m Model) Price(chars int, d time.Duration) int64 { return m.USD.Of(units(chars, d)) }

// units is what was used of a model; bound is more than is used of it for so many characters in so many calls.
func units(chars int, d time.Duration) price.Units {
	return price.Units{Chars: int64(chars), Sound: d}
}

func bound(chars, calls int64) price.Units {
	return price.Units{Chars: chars, Sound: time.Duration(chars)*slowest + time.Duration(calls)*pause}
}
