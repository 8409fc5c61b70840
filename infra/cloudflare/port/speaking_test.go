package port

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/audio"
)

func speaker(t *testing.T, name string) speech.Model {
	m, err := speech.FindModel(name)
	require.NoError(t, err)
	return m
}

func TestSpeaking(t *testing.T) {
	for _, tt := range []struct {
		model  string
		format audio.Format
		want   string
	}{
		{"@cf/deepgram/aura-1", audio.WAV, `{"text":"Six.","speaker":"luna","encoding":"linear16","container":"wav","sample_rate":24000}`},
		{"@cf/deepgram/aura-2-en", audio.MP3, `{"text":"Six.","speaker":"luna","encoding":"mp3"}`},
		{"@cf/deepgram/aura-2-es", audio.Opus, `{"text":"Six.","speaker":"luna","encoding":"opus","container":"ogg"}`},
		{speech.LocalModel, audio.WAV, `{"text":"Six.","speaker":"luna","encoding":"linear16","container":"wav","sample_rate":24000}`},
		{"@cf/myshell-ai/melotts", audio.WAV, `{"prompt":"Six.","lang":"luna"}`},
		{"@cf/myshell-ai/melotts", audio.MP3, `{"prompt":"Six.","lang":"luna"}`},
	} {
		got, err := speaking(speaker(t, tt.model), speech.Line{Text: "Six.", Voice: "luna", Format: tt.format})
		require.NoError(t, err)
		assert.JSONEq(t, tt.want, string(got), tt.model)
	}
	for _, f := range []audio.Format{audio.FLAC, audio.AAC, "", "wma"} {
		_, err := speaking(speaker(t, "@cf/deepgram/aura-1"), speech.Line{Text: "Six.", Format: f})
		assert.Equal(t, "unsupported_format", fault.As(err).Code, "%v", err)
	}
}

// Every format that a model is said to give can be asked for.
func TestSpeakingOffers(t *testing.T) {
	for _, m := range speech.Models() {
		for _, f := range m.Formats {
			_, err := speaking(m, speech.Line{Text: "Six.", Voice: m.Voices[0], Format: f})
			assert.NoError(t, err, "%s %s", m.Name, f)
		}
	}
}

// riff is a WAV with bytes of all kinds, so that base64 has all of its letters.
func riff(t *testing.T, n int) []byte {
	h, err := audio.Header(24_000, 1, int64(n))
	require.NoError(t, err)
	for i := range n {
		h = append(h, byte(i*7+i>>8))
	}
	return h
}

func TestSpoken(t *testing.T) {
	const model = "@cf/myshell-ai/melotts"
	for _, n := range []int{2, 4, 6, 100_000} { // every way base64 may end
		wav := riff(t, n)
		coded := base64.StdEncoding.EncodeToString(wav)
		for name, body := range map[string]string{
			"bytes":        string(wav),
			"its own":      `{"audio":"` + coded + `"}`,
			"with space":   "\n{ \"audio\" :\t\"" + coded + "\" }\n",
			"in a result":  `{"result":{"audio":"` + coded + `"},"success":true,"errors":[],"messages":[]}`,
			"escaped":      `{"audio":"` + strings.ReplaceAll(coded, "/", `\/`) + `"}`,
			"among others": `{"usage":{"n":1},"audio":"` + coded + `","format":"mp3"}`,
		} {
			got, err := spoken(model, http.StatusOK, []byte(body))
			require.NoError(t, err, name)
			assert.True(t, bytes.Equal(wav, got.Audio), name)
			assert.Equal(t, audio.WAV, got.Format, name)
		}
	}
	mp3 := []byte("ID3\x04\x00\x00\x00\x00\x00\x00\xff\xfb\x90\x64")
	got, err := spoken(model, http.StatusOK, mp3)
	require.NoError(t, err)
	assert.Equal(t, audio.MP3, got.Format, "it goes by the bytes")
}

func TestSpokenNot(t *testing.T) {
	coded := base64.StdEncoding.EncodeToString([]byte("no sound at all"))
	long := append(riff(t, 2), make([]byte, maxSound)...)
	for name, tt := range map[string]struct {
		status int
		body   string
		kind   fault.Kind
		code   string
	}{
		"nothing":             {200, "", fault.Unavailable, llm.CodeBrokeOff},
		"text":                {200, "upstream connect error", fault.Unavailable, speech.CodeUnreadable},
		"a page":              {200, "<html>", fault.Unavailable, speech.CodeUnreadable},
		"JSON of something":   {200, `{"description":"a bell"}`, fault.Unavailable, speech.CodeUnreadable},
		"audio that is null":  {200, `{"audio":null}`, fault.Unavailable, speech.CodeUnreadable},
		"audio that is a map": {200, `{"audio":{"url":"x"}}`, fault.Unavailable, speech.CodeUnreadable},
		"audio of nothing":    {200, `{"audio":""}`, fault.Unavailable, speech.CodeUnreadable},
		"half of it":          {200, `{"audio":"UklGR`, fault.Unavailable, speech.CodeUnreadable},
		"no base64":           {200, `{"audio":"UklGR!!!"}`, fault.Unavailable, speech.CodeUnreadable},
		"an end of no base64": {200, `{"audio":"UklGR"}`, fault.Unavailable, speech.CodeUnreadable},
		"base64 of no sound":  {200, `{"audio":"` + coded + `"}`, fault.Unavailable, speech.CodeUnreadable},
		"too much":            {200, string(long), fault.Unavailable, speech.CodeUnreadable},
		"errors of success":   {200, `{"success":false,"errors":[{"code":1,"message":"it \"audio\": fails"}]}`, fault.Unavailable, "model_unavailable"},
		"busy of success":     {200, `{"errors":[{"code":3040,"message":"busy"}]}`, fault.Unavailable, "model_busy"},
		"busy":                {429, `{"internalCode":3040,"description":"busy"}`, fault.Unavailable, "model_busy"},
		"the account's quota": {429, `{"errors":[{"code":3036,"message":"used up"}]}`, fault.Limited, "model_quota"},
		"refused":             {400, `{"internalCode":5006,"description":"speaker"}`, fault.Invalid, "model_refused"},
		"not ours":            {403, `{}`, fault.Unavailable, "model_unavailable"},
		"broken":              {502, "<html>", fault.Unavailable, "model_unavailable"},
		"sound of no success": {500, string(riff(t, 2)), fault.Unavailable, "model_unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := spoken("m", tt.status, []byte(tt.body))
			assert.Equal(t, fmt.Sprint(tt.kind, " ", tt.code), fmt.Sprint(fault.KindOf(err), " ", fault.As(err).Code), "%v", err)
			assert.Zero(t, got)
		})
	}
}

func FuzzSpoken(f *testing.F) {
	f.Add(`{"audio":"UklGRg=="}`)
	f.Add(`{"audio":"\/\/`)
	f.Fuzz(func(t *testing.T, body string) {
		got, err := spoken("m", http.StatusOK, []byte(body))
		if (err == nil) != (len(got.Audio) > 0 && got.Format == audio.Sniff(got.Audio)) {
			t.Fatalf("%v %v", got, err)
		}
	})
}
