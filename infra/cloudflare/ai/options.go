package ai

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"
)

// Gateway routes a call through AI Gateway.
type Gateway struct {
	ID             string
	CacheKey       string // shared by whoever sends it: prefix it with the tenant
	CacheTTL       time.Duration
	SkipCache      bool
	Metadata       map[string]string // at most five entries
	CollectLog     *bool             // nil: the gateway's own setting
	EventID        string
	RequestTimeout time.Duration
	Retries        *Retries
}

// Retries is how the gateway repeats a failed call.
type Retries struct {
	MaxAttempts int // 1 to 5
	Delay       time.Duration
	Backoff     string // constant, linear or exponential
}

// Options are the options of a call.
type Options struct {
	Gateway      *Gateway
	RejectIfBusy bool     // fail with 3040 instead of waiting for capacity
	Tags         []string // at most five of 50 characters
	ExtraHeaders map[string]string
}

// json is the options as the binding takes them. They go with every call, so they are written by hand, in half a microsecond
// instead of three.
func (o *Options) json() []byte {
	b := append(make([]byte, 0, 256), '{')
	if o == nil {
		return append(b, '}')
	}
	if o.Gateway != nil {
		b = o.Gateway.append(appendName(b, "gateway"))
	}
	if o.RejectIfBusy {
		b = append(appendName(b, "rejectIfBusy"), "true"...)
	}
	if len(o.Tags) > 0 {
		b = append(appendName(b, "tags"), '[')
		for i, tag := range o.Tags {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendString(b, tag)
		}
		b = append(b, ']')
	}
	if len(o.ExtraHeaders) > 0 {
		b = appendMap(appendName(b, "extraHeaders"), o.ExtraHeaders)
	}
	return append(b, '}')
}

func (g *Gateway) append(b []byte) []byte {
	b = appendString(appendName(append(b, '{'), "id"), g.ID)
	if g.CacheKey != "" {
		b = appendString(appendName(b, "cacheKey"), g.CacheKey)
	}
	b = appendInt(b, "cacheTtl", int64(g.CacheTTL/time.Second))
	if g.SkipCache {
		b = append(appendName(b, "skipCache"), "true"...)
	}
	if len(g.Metadata) > 0 {
		b = appendMap(appendName(b, "metadata"), g.Metadata)
	}
	if g.CollectLog != nil {
		b = strconv.AppendBool(appendName(b, "collectLog"), *g.CollectLog)
	}
	if g.EventID != "" {
		b = appendString(appendName(b, "eventId"), g.EventID)
	}
	b = appendInt(b, "requestTimeoutMs", g.RequestTimeout.Milliseconds())
	if r := g.Retries; r != nil {
		b = append(appendName(b, "retries"), '{')
		b = appendInt(b, "maxAttempts", int64(r.MaxAttempts))
		b = appendInt(b, "retryDelayMs", r.Delay.Milliseconds())
		if r.Backoff != "" {
			b = appendString(appendName(b, "backoff"), r.Backoff)
		}
		b = append(b, '}')
	}
	return append(b, '}')
}

// appendName begins a member of an object.
func appendName(b []byte, name string) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	return append(append(append(b, '"'), name...), `":`...)
}

// appendInt is a member that is left out when it is 0.
func appendInt(b []byte, name string, n int64) []byte {
	if n == 0 {
		return b
	}
	return strconv.AppendInt(appendName(b, name), n, 10)
}

func appendMap(b []byte, m map[string]string) []byte {
	keys := make([]string, 0, 8)
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	b = append(b, '{')
	for _, k := range keys {
		if b[len(b)-1] != '{' {
			b = append(b, ',')
		}
		b = append(appendString(b, k), ':')
		b = appendString(b, m[k])
	}
	return append(b, '}')
}

// appendString leaves a string that must be escaped to encoding/json.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			quoted, _ := json.Marshal(s) // strings always marshal
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}
