package deploy

import (
	"context"
	"net/http"
	"time"

	"levada.dev/infra/stack"
)

// gatewayConfig is an AI Gateway as the API takes it.
// https://developers.cloudflare.com/api/resources/ai_gateway/methods/create/
type gatewayConfig struct {
	ID              string      `json:"id,omitempty"`
	InvalidateCache bool        `json:"cache_invalidate_on_update"`
	CacheTTL        int         `json:"cache_ttl"`
	CollectLogs     bool        `json:"collect_logs"`
	RateInterval    int         `json:"rate_limiting_interval"`
	RateLimit       int         `json:"rate_limiting_limit"`
	SpendLimits     spendLimits `json:"spend_limits"`
}

type spendLimits struct {
	Enabled bool        `json:"enabled"`
	Rules   []spendRule `json:"rules"`
}

// spendRule stops calls whose metadata fit when they cost more.
// https://developers.cloudflare.com/ai-gateway/features/spend-limits/
type spendRule struct {
	Limit     int64                     `json:"limit"` // US dollars
	Type      string                    `json:"limitType"`
	Window    int64                     `json:"window"` // seconds
	Technique string                    `json:"technique"`
	Metadata  map[string]spendDimension `json:"metadata"`
}

type spendDimension struct {
	Mode   string   `json:"mode"` // partition: each value for itself; filter: these alone
	Values []string `json:"values,omitempty"`
}

// tenantKey is the name under which each call says whose it is: package port.
const tenantKey = "tenant_id"

// describeGateway is the pool's gateway. It neither caches nor limits rates: the platform does, by tenant.
func (d *Desired) describeGateway() gatewayConfig {
	g := gatewayConfig{ID: d.Unit.Name(d.Stack.Gateway.Name), InvalidateCache: true, CollectLogs: true, SpendLimits: spendLimits{Rules: []spendRule{}}}
	for _, s := range d.Stack.Gateway.Spend {
		g.SpendLimits.Rules = append(g.SpendLimits.Rules, spend(s))
	}
	g.SpendLimits.Enabled = len(g.SpendLimits.Rules) > 0
	return g
}

func spend(s stack.Spend) spendRule {
	of := spendDimension{Mode: "partition"}
	if s.Tenant != "" {
		of = spendDimension{Mode: "filter", Values: []string{s.Tenant}}
	}
	return spendRule{Limit: s.USD, Type: "cost", Window: int64(s.Window / time.Second), Technique: "fixed", Metadata: map[string]spendDimension{tenantKey: of}}
}

func (p *planner) gateway() {
	if p.desired.Stack.Gateway.Name == "" {
		return
	}
	want := p.desired.describeGateway()
	a := Action{Kind: "gateway", Name: want.ID}
	path := p.account.Path("ai-gateway", "gateways")
	have, there := p.live.gateways[want.ID]
	if !there {
		a.Op = Create
		a.do = func(ctx context.Context, r *run) error {
			err := r.account.Do(ctx, http.MethodPost, path, want, nil)
			return unlessThere(ctx, r, err, r.account.Path("ai-gateway", "gateways", want.ID))
		}
		p.add(a)
		return
	}
	a.Why = diff("", want, have)
	a.do = func(ctx context.Context, r *run) error {
		body := want
		body.ID = ""
		return r.account.Do(ctx, http.MethodPut, r.account.Path("ai-gateway", "gateways", want.ID), body, nil)
	}
	was := Desired{Unit: p.Unit, Stack: p.live.manifest.Stack}
	p.settle(a, len(diff("", want, was.describeGateway())) == 0)
}
