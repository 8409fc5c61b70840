package speech_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/tenants/quota/quotatest"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/audio"
	"levada.dev/workflows/speech/speechtest"
)

func TestPaid(t *testing.T) {
	for _, m := range speech.Models() {
		t.Run(m.Name, func(t *testing.T) {
			gate := &quotatest.Gate{}
			speechtest.TestSynthesizer(t, m, func(*testing.T) speech.Synthesizer { return speech.NewPaid(&memory.Synthesizer{}, gate) })
			gate.Check(t)
		})
	}
	gate := &quotatest.Gate{}
	speechtest.TestRefusals(t, func(*testing.T) speech.Synthesizer { return speech.NewPaid(&memory.Synthesizer{}, gate) })
	gate.Check(t)
}

func callOf(m speech.Model) (llm.Call, speech.Line) {
	return llm.Call{Model: m.Name, Purpose: llm.ForSpeech, RequestID: "r"}, speech.Line{Text: "água corre", Voice: m.Voices[0], Format: audio.WAV, Key: "reel/0"}
}

// What is spoken is paid by its tenant, by the character or by the minute, once; what the gateway still has is not.
func TestALineIsPaidByItsTenant(t *testing.T) {
	for name, nanos := range map[string]int64{
		"@cf/deepgram/aura-1":    10 * 15_000,
		"@cf/deepgram/aura-2-en": 10 * 30_000,
		"@cf/myshell-ai/melotts": (500*200_000 + 59_999) / 60_000, // 50 ms a character
	} {
		t.Run(name, func(t *testing.T) {
			m, err := speech.FindModel(name)
			require.NoError(t, err)
			gate := &quotatest.Gate{}
			acme, globex := tenantstest.Two(t)
			x := speech.NewPaid(&memory.Synthesizer{}, gate)
			call, line := callOf(m)
			var told int64
			ctx := llm.Metered(t.Context(), func(_, nanos int64) { told += nanos })
			for range 2 {
				_, err := x.Speak(ctx, acme, call, line)
				require.NoError(t, err)
			}
			once := []quota.Use{{Capability: "speech", Purpose: "speech", Model: name, Chars: 10, Neurons: gate.Used(acme)[0].Neurons, Nanos: nanos}}
			assert.InDelta(t, float64(nanos), once[0].Neurons.Float()*quota.NanosPerNeuron, float64(nanos)/30, "the prices are rounded")
			assert.Equal(t, once, gate.Used(acme), "characters are code points")
			assert.Equal(t, nanos, told)
			assert.Empty(t, gate.Used(globex))
			_, err = x.Speak(ctx, globex, call, line)
			require.NoError(t, err)
			assert.Equal(t, once, gate.Used(globex))
			for _, ask := range gate.Asked(acme) {
				assert.EqualValues(t, 10, ask.Amount.Chars)
				assert.GreaterOrEqual(t, ask.Amount.Nanos, nanos)
				assert.True(t, ask.Writes)
			}
			gate.Check(t)
		})
	}
}

func TestLinesThatFail(t *testing.T) {
	m, err := speech.FindModel("@cf/deepgram/aura-1")
	require.NoError(t, err)
	call, line := callOf(m)
	for name, tt := range map[string]struct {
		err  error
		paid bool
	}{
		"busy":                       {fault.New(fault.Unavailable, "model_busy", "", nil), false},
		"the quota":                  {fault.New(fault.Limited, "model_quota", "", nil), false},
		"refused":                    {fault.New(fault.Invalid, "model_refused", "", nil), false},
		"it broke off":               {fault.New(fault.Unavailable, llm.CodeBrokeOff, "", nil), true},
		"an answer that is no sound": {speech.ErrUnreadable(m.Name, nil), true},
		"nobody knows what":          {fault.New(fault.Internal, "panic", "", nil), true},
	} {
		t.Run(name, func(t *testing.T) {
			gate := &quotatest.Gate{}
			acme, _ := tenantstest.Two(t)
			x := speech.NewPaid(&memory.Synthesizer{After: func(llm.Call, speech.Line) error { return tt.err }}, gate)
			for _, kept := range []bool{false, true} { // what the gateway has is not paid again
				out, err := x.Speak(t.Context(), acme, call, line)
				assert.Equal(t, []any{tt.err, kept}, []any{err, out.Cached})
			}
			gate.Check(t)
			if !tt.paid {
				assert.Empty(t, gate.Used(acme))
				return
			}
			assert.Equal(t, []quota.Use{{
				Capability: "speech", Purpose: "speech", Model: m.Name, Chars: 10, Neurons: gate.Used(acme)[0].Neurons, Nanos: m.Bound(10), Estimated: true,
			}}, gate.Used(acme))
		})
	}
	// The gateway's answer is held against the same as the model's own, which it is; it was paid by whoever asked first.
	t.Run("sounds that cannot be read", func(t *testing.T) {
		header, err := audio.Header(8_000, 1, 0)
		require.NoError(t, err)
		for name, tt := range map[string]struct {
			body  []byte
			kind  fault.Kind
			code  string
			field string
		}{
			"text":           {[]byte("hello"), fault.Unavailable, speech.CodeUnreadable, ""},
			"half a header":  {header[:20], fault.Unavailable, speech.CodeUnreadable, ""},
			"a header alone": {header, fault.Invalid, audio.CodeEmpty, "text"},
		} {
			gate := &quotatest.Gate{}
			acme, globex := tenantstest.Two(t)
			x := speech.NewPaid(&memory.Synthesizer{Hum: func(llm.Call, speech.Line) []byte { return tt.body }}, gate)
			for i, s := range []tenants.Scope{acme, acme, globex} {
				out, err := x.Speak(t.Context(), s, call, line)
				f := fault.As(err)
				assert.Equal(t, []any{tt.kind, tt.code, tt.field, i == 1}, []any{f.Kind, f.Code, f.Field, out.Cached}, name)
			}
			for _, s := range []tenants.Scope{acme, globex} {
				require.Len(t, gate.Used(s), 1, name)
				empty := tt.code == audio.CodeEmpty
				assert.Equal(t, []any{!empty, m.Bound(10)}, []any{gate.Used(s)[0].Estimated, gate.Used(s)[0].Nanos}, "what nothing took is known: %s", name)
			}
			gate.Check(t)
		}
	})
	t.Run("the caller leaves", func(t *testing.T) {
		gate := &quotatest.Gate{}
		acme, _ := tenantstest.Two(t)
		ctx, cancel := context.WithCancel(t.Context())
		x := speech.NewPaid(&memory.Synthesizer{After: func(llm.Call, speech.Line) error { cancel(); return ctx.Err() }}, gate)
		_, err := x.Speak(ctx, acme, call, line)
		require.Error(t, err)
		require.Len(t, gate.Used(acme), 1)
		assert.True(t, gate.Used(acme)[0].Estimated)
		gate.Check(t)
	})
	t.Run("no budget", func(t *testing.T) {
		inner := &memory.Synthesizer{}
		gate := &quotatest.Gate{Refuse: func(tenants.Scope, quota.Ask) error { return fault.New(fault.Limited, "budget_exhausted", "", nil) }}
		acme, _ := tenantstest.Two(t)
		_, err := speech.NewPaid(inner, gate).Speak(t.Context(), acme, call, line)
		assert.Equal(t, "budget_exhausted", fault.As(err).Code)
		assert.Empty(t, inner.Calls(), "nothing is spoken unpaid")
	})
	t.Run("too much at once", func(t *testing.T) {
		gate := &quotatest.Gate{}
		acme, _ := tenantstest.Two(t)
		long := line
		long.Text = strings.Repeat("á", m.MaxChars+1)
		_, err := speech.NewPaid(&memory.Synthesizer{}, gate).Speak(t.Context(), acme, call, long)
		assert.Equal(t, "text_too_long", fault.As(err).Code)
		assert.Empty(t, gate.Asked(acme))
	})
}
