package ai

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The options as encoding/json writes them.
type wireOptions struct {
	Gateway      *wireGateway      `json:"gateway,omitempty"`
	RejectIfBusy bool              `json:"rejectIfBusy,omitempty"`
	Tags         []string          `json:"tags,omitempty"`
	ExtraHeaders map[string]string `json:"extraHeaders,omitempty"`
}

type wireGateway struct {
	ID               string            `json:"id"`
	CacheKey         string            `json:"cacheKey,omitempty"`
	CacheTTL         int64             `json:"cacheTtl,omitempty"` // seconds
	SkipCache        bool              `json:"skipCache,omitempty"`
	Metadata         map[string]string `json:"metadata,omitempty"`
	CollectLog       *bool             `json:"collectLog,omitempty"`
	EventID          string            `json:"eventId,omitempty"`
	RequestTimeoutMs int64             `json:"requestTimeoutMs,omitempty"`
	Retries          *wireRetries      `json:"retries,omitempty"`
}

type wireRetries struct {
	MaxAttempts  int    `json:"maxAttempts,omitempty"`
	RetryDelayMs int64  `json:"retryDelayMs,omitempty"`
	Backoff      string `json:"backoff,omitempty"`
}

func wired(o *Options) wireOptions {
	if o == nil {
		return wireOptions{}
	}
	w := wireOptions{RejectIfBusy: o.RejectIfBusy, Tags: o.Tags, ExtraHeaders: o.ExtraHeaders}
	if g := o.Gateway; g != nil {
		w.Gateway = &wireGateway{
			ID: g.ID, CacheKey: g.CacheKey, CacheTTL: int64(g.CacheTTL / time.Second), SkipCache: g.SkipCache,
			Metadata: g.Metadata, CollectLog: g.CollectLog, EventID: g.EventID, RequestTimeoutMs: g.RequestTimeout.Milliseconds(),
		}
		if r := g.Retries; r != nil {
			w.Gateway.Retries = &wireRetries{r.MaxAttempts, r.Delay.Milliseconds(), r.Backoff}
		}
	}
	return w
}

var yes = true

var usual = &Options{RejectIfBusy: true, Gateway: &Gateway{ID: "levada", Metadata: map[string]string{
	"tenant_id": "acme", "route": "chat", "request_id": "0f8fad5b-d9cb-469f-a165-70867728950e",
}}}

func TestOptionsAreWhatEncodingJSONWrites(t *testing.T) {
	for _, o := range []*Options{
		nil, {}, usual, {Gateway: &Gateway{}}, {Tags: []string{"a"}, ExtraHeaders: map[string]string{"x": "y"}},
		{Tags: []string{"a", "b\"\\"}, Gateway: &Gateway{
			ID: "<&>", CacheKey: "\u2028ü\xff", CacheTTL: time.Minute, SkipCache: true, CollectLog: &yes, EventID: "e", RequestTimeout: time.Second,
			Retries: &Retries{MaxAttempts: 3, Delay: 250 * time.Millisecond, Backoff: "linear"}, Metadata: map[string]string{"z": "\x7f", "": "\n", "a": ""},
		}},
		{Gateway: &Gateway{ID: "g", Retries: &Retries{}, CacheTTL: time.Millisecond, CollectLog: new(bool)}},
	} {
		want, err := json.Marshal(wired(o))
		require.NoError(t, err)
		assert.Equal(t, string(want), string(o.json()))
	}
}

func FuzzOptions(f *testing.F) {
	f.Add("levada", "tenant_id", "acme", int64(5), true)
	f.Add("\"", "<", "\xff", int64(-1), false)
	f.Fuzz(func(t *testing.T, id, key, value string, n int64, b bool) {
		o := &Options{RejectIfBusy: b, Tags: []string{value, key}, ExtraHeaders: map[string]string{key: value}, Gateway: &Gateway{
			ID: id, CacheKey: value, CacheTTL: time.Duration(n), Metadata: map[string]string{key: value, value: id}, CollectLog: &b, Retries: &Retries{MaxAttempts: int(n), Backoff: key},
		}}
		want, err := json.Marshal(wired(o))
		require.NoError(t, err)
		require.Equal(t, string(want), string(o.json()))
	})
}

func BenchmarkOptions(b *testing.B) {
	b.Run("by hand", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			usual.json()
		}
	})
	b.Run("encoding json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = json.Marshal(wired(usual))
		}
	})
}
