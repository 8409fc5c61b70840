package port

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"levada.dev/events/fault"
	"levada.dev/infra/cloudflare/ai"
	"levada.dev/infra/cloudflare/isolate"
	"levada.dev/tenants"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/speech"
)

// Synthesizer is Workers AI through the AI Gateway.
type Synthesizer struct {
	ai      ai.Binding
	gateway string
}

var _ speech.Synthesizer = Synthesizer{}

// NewSynthesizer calls models through the named gateway.
func NewSynthesizer(b ai.Binding, gateway string) Synthesizer { return Synthesizer{b, gateway} }

// keptFor is how long the gateway keeps what was spoken: longer than a take is silent between its tries.
const keptFor = time.Hour

// Speak implements speech.Synthesizer.
func (x Synthesizer) Speak(ctx context.Context, s tenants.Scope, c llm.Call, l speech.Line) (speech.Spoken, error) {
	if err := s.Check(); err != nil {
		return speech.Spoken{}, err
	}
	m, err := speech.FindModel(c.Model)
	if err != nil {
		return speech.Spoken{}, err
	}
	in, err := speaking(m, l)
	if err != nil {
		return speech.Spoken{}, err
	}
	o := options(ctx, x.gateway, s, c, string(c.Purpose))
	if l.Key != "" {
		o.Gateway.CacheKey, o.Gateway.CacheTTL = cacheKey(s, m.Name, l), keptFor
	}
	ctx, cancel := isolate.Within(ctx, patienceMany)
	defer cancel()
	resp, err := x.ai.Run(ctx, m.Name, json.RawMessage(in), o)
	if err != nil {
		return speech.Spoken{}, unanswered(err, m.Name)
	}
	defer resp.Body.Close()
	from := speech.Spoken{LogID: resp.LogID(), Cached: resp.Cached()}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxSound+1))
	if err != nil {
		return from, fault.Unavailablef(err, llm.CodeBrokeOff, "model %s broke off", m.Name)
	}
	out, err := spoken(m.Name, resp.Status, body)
	out.LogID, out.Cached = from.LogID, from.Cached
	return out, err
}

// cacheKey is a line's in the gateway. The model is in it, and all it is told: what one has answered is not another's.
func cacheKey(s tenants.Scope, model string, l speech.Line) string {
	h := sha256.New()
	for _, part := range []string{l.Key, model, l.Voice, string(l.Format), l.Text} {
		fmt.Fprintf(h, "%d:%s,", len(part), part)
	}
	return s.Key("speech", hex.EncodeToString(h.Sum(nil)))
}
