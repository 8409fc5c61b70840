package speechtest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/audio"
)

const (
	harbour = "The harbour opens at six."
	longer  = "The harbour opens at six, and the boats that have waited in the bay come in one after the other."
)

// scope is a tenant's of the name.
func scope(t *testing.T, id string) tenants.Scope {
	t.Helper()
	s, err := tenants.Resume(id)
	require.NoError(t, err)
	return s
}

// pcm is the samples of what was spoken, which is a WAV and no silence.
func pcm(t *testing.T, out speech.Spoken) audio.PCM {
	t.Helper()
	require.Equal(t, audio.WAV, out.Format)
	require.Equal(t, audio.Sniff(out.Audio), out.Format, "it is called what it is")
	p, err := audio.ReadWAV(out.Audio)
	require.NoError(t, err)
	assert.Greater(t, audio.RMS(p), 0.005, "it is not silent")
	return p
}

// TestSynthesizer checks the promises of speech.Synthesizer with one model, which gives WAV.
func TestSynthesizer(t *testing.T, model speech.Model, make func(t *testing.T) speech.Synthesizer) {
	acme, globex := scope(t, "acme"), scope(t, "globex")
	call := llm.Call{Model: model.Name, Purpose: llm.ForSpeech, RequestID: "r1"}
	line := speech.Line{Text: harbour, Voice: model.Voices[0], Format: audio.WAV}
	keyed := func(key string) speech.Line { l := line; l.Key = key; return l }
	speak := func(t *testing.T, x speech.Synthesizer, s tenants.Scope, l speech.Line) speech.Spoken {
		t.Helper()
		out, err := x.Speak(t.Context(), s, call, l)
		require.NoError(t, err)
		return out
	}

	t.Run("a text is spoken, a longer one for longer", func(t *testing.T) {
		x := make(t)
		out := speak(t, x, acme, line)
		assert.NotEmpty(t, out.LogID)
		assert.False(t, out.Cached)
		short := pcm(t, out).Duration()
		assert.Greater(t, short, time.Second)
		l := line
		l.Text = longer
		assert.Greater(t, pcm(t, speak(t, x, acme, l)).Duration(), 2*short)
	})
	t.Run("every voice speaks", func(t *testing.T) {
		x := make(t)
		for _, voice := range model.Voices {
			l := line
			l.Text, l.Voice = "Six.", voice
			pcm(t, speak(t, x, acme, l))
		}
	})
	t.Run("what has a key is kept, for who asks again", func(t *testing.T) {
		x := make(t)
		l := keyed(model.Name + "/reel/0")
		first := speak(t, x, acme, l)
		again := speak(t, x, acme, l)
		assert.Equal(t, []bool{false, true}, []bool{first.Cached, again.Cached})
		assert.Equal(t, first.Audio, again.Audio)
		assert.Equal(t, first.Format, again.Format)
		assert.False(t, speak(t, x, acme, keyed(model.Name+"/reel/1")).Cached, "another key is another")
		l.Text = "Another text."
		assert.False(t, speak(t, x, acme, l).Cached, "and so is another text under the same one")
	})
	t.Run("what has no key is not kept", func(t *testing.T) {
		x := make(t)
		speak(t, x, acme, line)
		assert.False(t, speak(t, x, acme, line).Cached)
	})
	t.Run("tenants do not share what is kept", func(t *testing.T) {
		x := make(t)
		l := keyed(model.Name + "/shared/0")
		speak(t, x, acme, l)
		assert.False(t, speak(t, x, globex, l).Cached)
		assert.True(t, speak(t, x, globex, l).Cached)
	})
	t.Run("nobody's call and an unknown model are refused", func(t *testing.T) {
		x := make(t)
		_, err := x.Speak(t.Context(), tenants.Scope{}, call, line)
		assert.ErrorIs(t, err, tenants.ErrNoScope)
		_, err = x.Speak(t.Context(), acme, llm.Call{Model: "no/such", Purpose: llm.ForSpeech}, line)
		assert.Equal(t, "model_unknown", fault.As(err).Code, "%v", err)
	})
	t.Run("no text is refused", func(t *testing.T) {
		l := line
		l.Text = ""
		_, err := make(t).Speak(t.Context(), acme, call, l)
		assert.Equal(t, fault.Invalid, fault.KindOf(err), "%v", err)
	})
	t.Run("a caller who has left gets an error", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := make(t).Speak(ctx, acme, call, line)
		assert.Error(t, err)
	})
	t.Run("lines at once do not mix", func(t *testing.T) {
		x := make(t)
		numbered := func(i int) speech.Line { l := line; l.Text = fmt.Sprintf("Boat number %d.", i); return l }
		var wg sync.WaitGroup
		got := [4][]byte{}
		for i := range got {
			wg.Go(func() {
				out, err := x.Speak(t.Context(), acme, call, numbered(i))
				if assert.NoError(t, err) {
					got[i] = out.Audio
				}
			})
		}
		wg.Wait()
		for i := range got {
			assert.Equal(t, speak(t, x, acme, numbered(i)).Audio, got[i])
		}
	})
}

// TestRefusals checks what a speech.Synthesizer says of a model that does not speak: the local one, which a text can have refuse it.
func TestRefusals(t *testing.T, make func(t *testing.T) speech.Synthesizer) {
	acme := scope(t, "acme")
	call := llm.Call{Model: speech.LocalModel, Purpose: llm.ForSpeech, RequestID: "r1"}
	said := func(text string) speech.Line { return speech.Line{Text: text, Voice: "kal16", Format: audio.WAV} }

	t.Run("another model's voice", func(t *testing.T) {
		l := said(harbour)
		l.Voice = "luna"
		_, err := make(t).Speak(t.Context(), acme, call, l)
		assert.Equal(t, []any{fault.Invalid, "model_refused"}, []any{fault.KindOf(err), fault.As(err).Code}, "%v", err)
	})
	t.Run("a format that it does not have", func(t *testing.T) {
		for _, f := range []audio.Format{audio.MP3, audio.FLAC} {
			l := said(harbour)
			l.Format = f
			_, err := make(t).Speak(t.Context(), acme, call, l)
			assert.Equal(t, fault.Invalid, fault.KindOf(err), "%v", err)
		}
	})
	for name, tt := range map[string]struct {
		error string
		kind  fault.Kind
		code  string
	}{
		"busy":                {`"code":3040,"status":429`, fault.Unavailable, "model_busy"},
		"the account's quota": {`"code":3036,"status":429`, fault.Limited, "model_quota"},
		"too late":            {`"code":3007,"status":408`, fault.Unavailable, "model_unavailable"},
		"broken":              {`"code":3043,"status":500`, fault.Unavailable, "model_unavailable"},
		"refused":             {`"code":5006,"status":400`, fault.Invalid, "model_refused"},
	} {
		t.Run(name, func(t *testing.T) {
			x := make(t)
			l := said(fmt.Sprintf(`{"script":{"error":{%s,"text":"%s"},"times":1,"tokens":["%s"]}}`, tt.error, name, harbour))
			l.Key = t.Name()
			_, err := x.Speak(t.Context(), acme, call, l)
			assert.Equal(t, []any{tt.kind, tt.code}, []any{fault.KindOf(err), fault.As(err).Code}, "%v", err)
			out, err := x.Speak(t.Context(), acme, call, l)
			require.NoError(t, err)
			assert.False(t, out.Cached, "what failed is not kept")
			pcm(t, out)
		})
	}
	t.Run("what is no sound is kept as any answer, and told so", func(t *testing.T) {
		x := make(t)
		l := said(fmt.Sprintf(`{"script":{"cutAfter":0,"times":1,"tokens":["%s"]}}`, harbour))
		for _, kept := range []bool{false, true} {
			l.Key = t.Name()
			out, err := x.Speak(t.Context(), acme, call, l)
			assert.Equal(t, []any{fault.Unavailable, speech.CodeUnreadable, kept}, []any{fault.KindOf(err), fault.As(err).Code, out.Cached}, "%v", err)
			assert.NotEmpty(t, out.LogID)
		}
		l.Key += "/again"
		out, err := x.Speak(t.Context(), acme, call, l)
		require.NoError(t, err)
		assert.False(t, out.Cached, "under another key it is asked for anew")
		pcm(t, out)
	})
}
