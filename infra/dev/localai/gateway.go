package localai

import (
	"bytes"
	"encoding/json"
	"regexp"
	"time"
)

// gatewayOptions are the options of one call that concern the gateway.
type gatewayOptions struct {
	ID               string         `json:"id"`
	CacheKey         string         `json:"cacheKey"`
	CacheTTL         int            `json:"cacheTtl"` // seconds
	SkipCache        bool           `json:"skipCache"`
	Metadata         map[string]any `json:"metadata"`
	CollectLog       *bool          `json:"collectLog"`
	EventID          string         `json:"eventId"`
	RequestTimeoutMs int            `json:"requestTimeoutMs"`
	Retries          struct {
		MaxAttempts  int    `json:"maxAttempts"`
		RetryDelayMs int    `json:"retryDelayMs"`
		Backoff      string `json:"backoff"`
	} `json:"retries"`
}

const (
	maxMetadata = 5
	minCacheTTL = 60
	maxCacheTTL = 30 * 24 * 60 * 60
)

var gatewayName = regexp.MustCompile(`^[a-z0-9_-]{1,64}$`)

// readGateway reads and checks the options. Where the platform drops silently what
// is over a limit, this refuses, so that nothing is lost unseen in production.
// Limits: https://developers.cloudflare.com/ai-gateway/reference/limits/
func readGateway(raw json.RawMessage) (*gatewayOptions, error) {
	var g gatewayOptions
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&g); err != nil {
		return nil, gatewayRefuses("gateway options: %v", err)
	}
	switch {
	case !gatewayName.MatchString(g.ID):
		return nil, gatewayRefuses("gateway.id must be 1 to 64 of a-z, 0-9, _ and -")
	case len(g.Metadata) > maxMetadata:
		return nil, gatewayRefuses("gateway.metadata takes %d entries, got %d: the platform keeps the first %d and drops the rest", maxMetadata, len(g.Metadata), maxMetadata)
	case g.CacheTTL != 0 && (g.CacheTTL < minCacheTTL || g.CacheTTL > maxCacheTTL):
		return nil, gatewayRefuses("gateway.cacheTtl must be %d to %d seconds, got %d", minCacheTTL, maxCacheTTL, g.CacheTTL)
	case g.Retries.MaxAttempts < 0 || g.Retries.MaxAttempts > 5:
		return nil, gatewayRefuses("gateway.retries.maxAttempts must be 1 to 5, got %d", g.Retries.MaxAttempts)
	case g.RequestTimeoutMs < 0 || g.Retries.RetryDelayMs < 0:
		return nil, gatewayRefuses("gateway times must not be negative")
	}
	for key, value := range g.Metadata {
		switch value.(type) {
		case string, float64, bool, nil:
		default:
			return nil, gatewayRefuses("gateway.metadata.%s must be a string, number or boolean", key)
		}
	}
	return &g, nil
}

func (g *gatewayOptions) caches() bool {
	return !g.SkipCache && (g.CacheTTL > 0 || g.CacheKey != "")
}

// ttl is how long an answer is kept; a key without a time is kept for a day.
func (g *gatewayOptions) ttl() time.Duration {
	if g.CacheTTL == 0 {
		return 24 * time.Hour
	}
	return time.Duration(g.CacheTTL) * time.Second
}

// wait is the pause before attempt n, of which the first retry is 1.
func (g *gatewayOptions) wait(n int) time.Duration {
	delay := time.Duration(g.Retries.RetryDelayMs) * time.Millisecond
	switch g.Retries.Backoff {
	case "linear":
		return delay * time.Duration(n)
	case "exponential":
		return delay << (n - 1)
	default:
		return delay
	}
}
