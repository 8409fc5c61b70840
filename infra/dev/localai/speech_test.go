package localai

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	melo   = "@cf/myshell-ai/melotts"
	local  = "@local/voice"
	spoken = "The harbour opens at six."
)

// wav is what a text is asked for with, where there is to be a WAV file.
func wav(text string, more ...object) object {
	o := object{"text": text, "encoding": "linear16", "container": "wav"}
	for _, m := range more {
		maps.Copy(o, m)
	}
	return o
}

// samples is how many samples a second a WAV file has, and how many there are.
func samples(t *testing.T, file string) (rate, n int) {
	require.True(t, strings.HasPrefix(file, "RIFF") && file[8:16] == "WAVEfmt " && file[36:40] == "data", "%.60q", file)
	at := func(i int) int { return int(binary.LittleEndian.Uint32([]byte(file[i:]))) }
	require.Equal(t, len(file)-44, at(40))
	sum := 0.0
	for i := 44; i < len(file); i += 2 {
		s := float64(int16(binary.LittleEndian.Uint16([]byte(file[i:]))))
		sum += s * s
	}
	assert.Greater(t, math.Sqrt(sum/float64(at(40)/2)), 300.0, "it is not silence")
	return at(24), at(40) / 2
}

// Every model speaks, and every call is in the gateway's log with what it costs.
func TestSpeechModels(t *testing.T) {
	c := start(t, Options{})
	for model, price := range map[string]float64{"@cf/deepgram/aura-1": .015, "@cf/deepgram/aura-2-en": .030, "@cf/deepgram/aura-2-es": .030, local: .001} {
		r := c.run(model, wav(spoken), acme(nil))
		require.Equal(t, 200, r.status, r.body)
		assert.Equal(t, "audio/wav", r.header.Get("Content-Type"))
		rate, n := samples(t, r.body)
		assert.Equal(t, 24_000, rate)
		assert.InDelta(t, 1.7, float64(n)/24_000, .6)
		log := c.last()
		assert.InDelta(t, price*float64(len(spoken))/1000, log.Cost, 1e-12, model)
		assert.Equal(t, []any{"text-to-speech", "audio/wav", "", len(r.body), 0, 0}, []any{log.ModelType, log.ContentType, log.ResponseHead, log.ResponseSize, log.TokensIn, log.TokensOut})
		assert.Contains(t, log.RequestHead, spoken)
	}
	r := c.run(melo, object{"prompt": spoken, "lang": "en"}, acme(nil))
	require.Equal(t, 200, r.status, r.body)
	file, err := base64.StdEncoding.DecodeString(r.json(t)["audio"].(string))
	require.NoError(t, err)
	rate, n := samples(t, string(file))
	assert.InDelta(t, float64(n)/float64(rate)/60*.0002, c.last().Cost, 1e-9)
	assert.Equal(t, "application/json", c.last().ContentType)
}

func TestSpeechRates(t *testing.T) {
	c := start(t, Options{})
	_, own := samples(t, c.run(local, wav(spoken, object{"sample_rate": 16_000}), acme(nil)).body)
	for _, rate := range []int{8_000, 16_000, 24_000, 32_000, 48_000} {
		file := c.run(local, wav(spoken, object{"sample_rate": rate}), acme(nil)).body
		got, n := samples(t, file)
		assert.Equal(t, []int{rate, own * rate / 16_000}, []int{got, n})
		bare := c.run(local, wav(spoken, object{"sample_rate": rate, "container": "none"}), acme(nil))
		assert.Equal(t, fmt.Sprintf("audio/l16;rate=%d;channels=1", rate), bare.header.Get("Content-Type"))
		assert.Equal(t, file[44:], bare.body)
	}
}

// A speaker is always the same voice: women are women, and no model has a speaker without a voice.
func TestSpeakers(t *testing.T) {
	for _, m := range catalogue {
		if m.kind == speaking {
			assert.NotEmpty(t, m.cast[m.narrator], m.id)
		}
	}
	assert.Equal(t, []int{12, 40, 10, 5}, []int{len(aura1), len(aura2), len(aura2es), len(flite)})
	assert.Equal(t, []string{"slt", "awb", "rms", "rms"}, []string{aura2["luna"], aura2["arcas"], aura1["zeus"], aura2es["alvaro"]})

	c := start(t, Options{})
	say := func(speaker string) string {
		r := c.run("@cf/deepgram/aura-1", wav("Six.", object{"speaker": speaker}), acme(nil))
		require.Equal(t, 200, r.status, r.body)
		return r.body
	}
	woman, man, other := say("asteria"), say("angus"), say("arcas")
	assert.Equal(t, woman, say("luna"))
	assert.Equal(t, man, c.run("@cf/deepgram/aura-1", wav("Six."), acme(nil)).body)
	assert.Equal(t, 3, len(slices.Compact(slices.Sorted(slices.Values([]string{woman, man, other})))))
}

func TestSpeechRefusals(t *testing.T) {
	c := start(t, Options{})
	for name, row := range map[string]struct {
		model  string
		inputs any
		text   string
	}{
		"no object":       {local, "hello", "Type mismatch of '/'"},
		"no text":         {local, object{"prompt": "hello"}, "required properties at '/' are 'text'"},
		"text null":       {local, wav("", object{"text": nil}), "required properties at '/' are 'text'"},
		"text empty":      {local, wav(""), "Length of '/text' must be >= 1"},
		"text a list":     {local, wav("", object{"text": []string{"a"}}), "Type mismatch of '/text', 'string' expected"},
		"no prompt":       {melo, object{"text": "hello"}, "required properties at '/' are 'prompt'"},
		"prompt empty":    {melo, object{"prompt": ""}, "Length of '/prompt' must be >= 1"},
		"lang a number":   {melo, object{"prompt": "x", "lang": 1}, "Type mismatch of '/lang', 'string' expected"},
		"speaker":         {"@cf/deepgram/aura-1", wav("x", object{"speaker": "amalthea"}), `at '/speaker': "amalthea" is not one of angus, arcas, asteria`},
		"speaker empty":   {"@cf/deepgram/aura-2-en", wav("x", object{"speaker": ""}), "at '/speaker'"},
		"speaker case":    {"@cf/deepgram/aura-2-es", wav("x", object{"speaker": "Diana"}), "at '/speaker'"},
		"voice":           {local, wav("x", object{"speaker": "/etc/passwd"}), `is not one of awb, kal, kal16, rms, slt`},
		"no encoding":     {local, object{"text": "x"}, `mp3 does not exist locally: ask for "encoding": "linear16", with "container": "wav" or "none"`},
		"mp3":             {local, wav("x", object{"encoding": "mp3", "container": "none"}), "mp3 does not exist locally"},
		"opus":            {"@cf/deepgram/aura-1", object{"text": "x", "encoding": "opus", "container": "ogg"}, "opus does not exist locally"},
		"unknown":         {local, wav("x", object{"encoding": "linear32"}), `at '/encoding': "linear32" is not one of linear16, flac`},
		"container":       {local, wav("x", object{"container": "zip"}), `at '/container': "zip" is not one of none, wav, ogg`},
		"ogg":             {local, wav("x", object{"container": "ogg"}), `ask for "wav" or "none"`},
		"rate":            {local, wav("x", object{"sample_rate": 44_100}), "at '/sample_rate': linear16 has no sample_rate 44100: take one of 8000, 16000"},
		"rate a string":   {local, wav("x", object{"sample_rate": "24000"}), "Type mismatch of '/sample_rate', 'number' expected"},
		"script not JSON": {local, wav(`{"script": {`), "the script is not JSON"},
		"script of none":  {local, wav(`{"script": []}`), "the script has no turn"},
	} {
		t.Run(name, func(t *testing.T) {
			r := c.run(row.model, row.inputs, acme(nil))
			assert.Equal(t, 400, r.status)
			assert.Equal(t, 5006.0, r.json(t)["internalCode"])
			assert.Contains(t, r.json(t)["description"], row.text)
			assert.Zero(t, c.last().Cost)
		})
	}
	mute := start(t, Options{})
	mute.server.voices = nil
	assert.Contains(t, mute.run(local, wav("x"), acme(nil)).json(t)["description"], "set localai.Options.Voices")
	_, err := New(Options{State: t.TempDir(), Weights: weights, Voices: t.TempDir()})
	assert.ErrorContains(t, err, "npm ci")
}

// The gateway keeps audio as it does JSON, with its type: by the caller's own key, which another tenant's is not, or by all of the request.
func TestSpeechCache(t *testing.T) {
	c := start(t, Options{})
	say := func(text string, gateway object) (result, string) {
		r := c.run(local, wav(text), acme(gateway))
		require.Equal(t, 200, r.status, r.body)
		return r, r.header.Get("cf-aig-cache-status")
	}
	first, status := say(spoken, object{"cacheKey": "acme:1", "cacheTtl": 60})
	assert.Equal(t, "MISS", status)
	again, status := say("Another text.", object{"cacheKey": "acme:1", "cacheTtl": 60})
	assert.Equal(t, "HIT", status)
	assert.Equal(t, []string{"audio/wav", first.body}, []string{again.header.Get("Content-Type"), again.body})
	log := c.last()
	assert.Equal(t, []any{true, 0.0, "audio/wav", len(first.body)}, []any{log.Cached, log.Cost, log.ContentType, log.ResponseSize})

	other, status := say("Another text.", object{"cacheKey": "globex:1", "cacheTtl": 60})
	assert.Equal(t, "MISS", status)
	assert.NotEqual(t, first.body, other.body)
	_, status = say(spoken, object{"cacheTtl": 60})
	assert.Equal(t, "MISS", status)
	_, status = say(spoken, object{"cacheTtl": 60})
	assert.Equal(t, "HIT", status)
	r := c.run(local, wav(spoken, object{"speaker": "kal"}), acme(object{"cacheTtl": 60}))
	assert.Equal(t, "MISS", r.header.Get("cf-aig-cache-status"))
	melted := c.run(melo, object{"prompt": "Six."}, acme(object{"cacheTtl": 60}))
	assert.Equal(t, melted.body, c.run(melo, object{"prompt": "Six."}, acme(object{"cacheTtl": 60})).body)
	assert.Equal(t, "application/json", c.last().ContentType)
}

// Speech can be refused, held up, made busy and late, as other models can.
func TestSpeechControls(t *testing.T) {
	c := start(t, Options{Capacity: 1})
	c.server.Refuse("unspeakable")
	assert.Equal(t, 400, c.run(local, wav("an unspeakable word"), acme(nil)).status)
	assert.Equal(t, 400, c.run(melo, object{"prompt": "an unspeakable word"}, acme(nil)).status)
	c.server.Refuse("")

	held, let := c.server.Hold("wait")
	answered := make(chan result, 1)
	go func() { answered <- c.run(local, wav("wait for me"), acme(nil)) }()
	<-held
	busy := c.send(local, object{"inputs": wav(spoken), "options": object{"gateway": acme(nil), "rejectIfBusy": true}})
	assert.Equal(t, []any{429, 3040.0}, []any{busy.status, busy.json(t)["internalCode"]})
	let()
	assert.Equal(t, 200, (<-answered).status)

	_, let = c.server.Hold("late")
	defer let()
	late := c.run(local, wav("too late"), acme(object{"requestTimeoutMs": 1}))
	assert.Equal(t, []any{408, 3007.0}, []any{late.status, late.json(t)["internalCode"]})
	assert.Equal(t, 408, c.run(local, wav(`{"script": {"tokens": ["x"], "firstDelayMs": 3600000}}`), acme(object{"requestTimeoutMs": 1})).status)

	failing := wav(`{"script": {"error": {"code": 3040, "status": 429, "text": "busy"}, "times": 2, "tokens": ["The harbour ", "opens at six."]}}`)
	assert.Equal(t, 429, c.run(local, failing, acme(nil)).status)
	retried := c.run(local, failing, acme(object{"retries": object{"maxAttempts": 3, "retryDelayMs": 1}}))
	assert.Equal(t, 200, retried.status)
	assert.Equal(t, c.run(local, wav(spoken), acme(nil)).body, retried.body, "the script's tokens are what is said")
}
