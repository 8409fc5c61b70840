package double

import (
	"cmp"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
)

// gateway is an AI Gateway, as it was sent and with what the API adds.
type gateway map[string]any

// gatewayEdit is what a gateway has. All of the first five are needed, each time: a PUT sets the gateway whole.
type gatewayEdit struct {
	CacheInvalidate   *bool           `json:"cache_invalidate_on_update"`
	CacheTTL          json.RawMessage `json:"cache_ttl"`
	CollectLogs       *bool           `json:"collect_logs"`
	RateLimitInterval json.RawMessage `json:"rate_limiting_interval"`
	RateLimit         json.RawMessage `json:"rate_limiting_limit"`

	ID                string          `json:"id"`
	Authentication    *bool           `json:"authentication"`
	BYOKOnly          *bool           `json:"byok_only"`
	DLP               json.RawMessage `json:"dlp"`
	Guardrails        json.RawMessage `json:"guardrails"`
	IsDefault         *bool           `json:"is_default"`
	LogClassification *bool           `json:"log_classification"`
	LogManagement     *int            `json:"log_management"`
	LogStrategy       *string         `json:"log_management_strategy"`
	Logpush           *bool           `json:"logpush"`
	LogpushKey        *string         `json:"logpush_public_key"`
	OTel              json.RawMessage `json:"otel"`
	RateTechnique     *string         `json:"rate_limiting_technique"`
	RetryBackoff      *string         `json:"retry_backoff"`
	RetryDelay        *int            `json:"retry_delay"`
	RetryAttempts     *int            `json:"retry_max_attempts"`
	Spend             *spendLimits    `json:"spend_limits"`
	StoreID           *string         `json:"store_id"`
	Stripe            json.RawMessage `json:"stripe"`
	BillingMode       *string         `json:"workers_ai_billing_mode"`
	ZDR               *bool           `json:"zdr"`
}

// spendLimits stop calls of models that cost more, in dollars of a window of seconds.
// https://developers.cloudflare.com/ai-gateway/features/spend-limits/
type spendLimits struct {
	Enabled *bool       `json:"enabled,omitempty"`
	Rules   []spendRule `json:"rules"`
}

type spendRule struct {
	ID        string               `json:"id,omitempty"`
	Enabled   *bool                `json:"enabled,omitempty"`
	Limit     float64              `json:"limit"`
	LimitType string               `json:"limitType"` // cost
	Window    int                  `json:"window"`
	Technique string               `json:"technique,omitempty"` // fixed or sliding
	Metadata  map[string]dimension `json:"metadata,omitempty"`
	Model     *dimension           `json:"model,omitempty"`
	Provider  *dimension           `json:"provider,omitempty"`
}

// dimension counts each value for itself, or only some.
type dimension struct {
	Mode   string   `json:"mode"` // partition or filter
	Values []string `json:"values,omitempty"`
}

const (
	groupGateway = "AI Gateway"

	maxGateways = 20
	maxRules    = 20
	codeGateway = 7001
)

var gatewayID = regexp.MustCompile(`^[a-z0-9_]+(-[a-z0-9_]+)*$`)

func gatewayRoutes() []route {
	const gateways = "/accounts/{account}/ai-gateway/gateways"
	const one = gateways + "/{gateway}"
	return []route{
		{pattern: "GET " + gateways, group: groupGateway, handle: func(c *call) (any, error) { return paged(c, sorted(c.account.gateways)) }},
		{pattern: "POST " + gateways, group: groupGateway, handle: postGateway},
		{pattern: "GET " + one, group: groupGateway, handle: onGateway(func(_ *call, g gateway) (any, error) { return g, nil })},
		{pattern: "PUT " + one, group: groupGateway, handle: onGateway(putGateway)},
		{pattern: "DELETE " + one, group: groupGateway, handle: onGateway(func(c *call, g gateway) (any, error) {
			delete(c.account.gateways, c.PathValue("gateway"))
			return g, nil
		})},
	}
}

func onGateway(do func(*call, gateway) (any, error)) func(*call) (any, error) {
	return func(c *call) (any, error) {
		if g := c.account.gateways[c.PathValue("gateway")]; g != nil {
			return do(c, g)
		}
		return nil, refuse(http.StatusNotFound, 7002, "Not Found")
	}
}

func postGateway(c *call) (any, error) {
	g, edit, err := c.gateway()
	if err != nil {
		return nil, err
	}
	switch {
	case !gatewayID.MatchString(edit.ID) || len(edit.ID) > 64:
		return nil, refuse(http.StatusBadRequest, codeGateway, "id: %q is not valid: lower-case letters, digits, _ and single -, up to 64", edit.ID)
	case c.account.gateways[edit.ID] != nil:
		return nil, refuse(http.StatusConflict, codeGateway, "A gateway %q is there already.", edit.ID)
	case len(c.account.gateways) >= maxGateways:
		return nil, refuse(http.StatusBadRequest, codeGateway, "An account has at most %d gateways.", maxGateways)
	}
	g["created_at"] = g["modified_at"]
	c.account.gateways[edit.ID] = g
	return g, nil
}

func putGateway(c *call, old gateway) (any, error) {
	g, edit, err := c.gateway()
	if err != nil {
		return nil, err
	}
	if edit.ID != "" && edit.ID != c.PathValue("gateway") {
		return nil, refuse(http.StatusBadRequest, codeGateway, "id: a gateway keeps its own, %q", c.PathValue("gateway"))
	}
	g["id"], g["created_at"] = c.PathValue("gateway"), old["created_at"]
	c.account.gateways[c.PathValue("gateway")] = g
	return g, nil
}

// gatewayDefaults are what a gateway has where nothing is said.
var gatewayDefaults = map[string]any{
	"authentication": false, "is_default": false, "log_management": nil, "log_management_strategy": nil, "logpush": false, "logpush_public_key": nil,
	"rate_limiting_technique": "fixed", "spend_limits": nil, "zdr": false,
}

// whole is spendLimits with what the API adds to rules.
func (s *spendLimits) whole(api *API) *spendLimits {
	yes := true
	for i := range s.Rules {
		r := &s.Rules[i]
		if r.ID == "" {
			r.ID = api.uuid()
		}
		r.Enabled, r.Technique = cmp.Or(r.Enabled, &yes), cmp.Or(r.Technique, "fixed")
	}
	s.Enabled = cmp.Or(s.Enabled, &yes)
	return s
}

// gateway reads a gateway: checked, and then as it was sent, with what the API does where nothing is said.
func (c *call) gateway() (gateway, gatewayEdit, error) {
	edit, err := decode[gatewayEdit](c)
	if err != nil {
		return nil, edit, err
	}
	if err := edit.check(); err != nil {
		return nil, edit, err
	}
	g := gateway{}
	if err := json.Unmarshal(c.body, &g); err != nil {
		return nil, edit, err
	}
	if edit.Spend != nil {
		g["spend_limits"] = edit.Spend.whole(c.api)
	}
	for name, usual := range gatewayDefaults {
		if _, ok := g[name]; !ok {
			g[name] = usual
		}
	}
	g["modified_at"] = c.api.now()
	return g, edit, nil
}

func (e gatewayEdit) check() error {
	for name, missing := range map[string]bool{
		"cache_invalidate_on_update": e.CacheInvalidate == nil, "cache_ttl": e.CacheTTL == nil, "collect_logs": e.CollectLogs == nil,
		"rate_limiting_interval": e.RateLimitInterval == nil, "rate_limiting_limit": e.RateLimit == nil,
	} {
		if missing {
			return refuse(http.StatusBadRequest, codeGateway, "%s: Required", name)
		}
	}
	for name, text := range map[string]json.RawMessage{"cache_ttl": e.CacheTTL, "rate_limiting_interval": e.RateLimitInterval, "rate_limiting_limit": e.RateLimit} {
		var n *int
		if json.Unmarshal(text, &n) != nil || n != nil && *n < 0 {
			return refuse(http.StatusBadRequest, codeGateway, "%s: has to be a number of at least 0, or null", name)
		}
	}
	for name, f := range map[string]struct {
		value   *string
		allowed []string
	}{
		"rate_limiting_technique": {e.RateTechnique, []string{"fixed", "sliding"}},
		"retry_backoff":           {e.RetryBackoff, []string{"constant", "linear", "exponential"}},
		"log_management_strategy": {e.LogStrategy, []string{"STOP_INSERTING", "DELETE_OLDEST"}},
		"workers_ai_billing_mode": {e.BillingMode, []string{"postpaid", "unified"}},
	} {
		if f.value != nil && !slices.Contains(f.allowed, *f.value) {
			return refuse(http.StatusBadRequest, codeGateway, "%s: %q is none of %q", name, *f.value, f.allowed)
		}
	}
	if n := e.RetryAttempts; n != nil && (*n < 1 || *n > 5) {
		return refuse(http.StatusBadRequest, codeGateway, "retry_max_attempts: has to be 1 to 5")
	}
	if n := e.RetryDelay; n != nil && (*n < 0 || *n > 60_000) {
		return refuse(http.StatusBadRequest, codeGateway, "retry_delay: has to be 0 to 60000")
	}
	return e.Spend.check()
}

func (s *spendLimits) check() error {
	if s == nil {
		return nil
	}
	if len(s.Rules) > maxRules {
		return refuse(http.StatusBadRequest, codeGateway, "spend_limits.rules: at most %d, these are %d", maxRules, len(s.Rules))
	}
	for i, r := range s.Rules {
		wrong := ""
		switch {
		case r.Limit <= 0:
			wrong = "limit: has to be more than 0"
		case r.LimitType != "cost":
			wrong = "limitType: has to be cost"
		case r.Window <= 0:
			wrong = "window: has to be more than 0 seconds"
		case r.Technique != "" && r.Technique != "fixed" && r.Technique != "sliding":
			wrong = "technique: has to be fixed or sliding"
		case r.Model != nil && !r.Model.valid() || r.Provider != nil && !r.Provider.valid():
			wrong = "model, provider: the mode is partition without values, or filter with some"
		}
		for key, d := range r.Metadata {
			if key == "" || !d.valid() {
				wrong = "metadata." + key + ": the mode is partition without values, or filter with some"
			}
		}
		if wrong != "" {
			return refuse(http.StatusBadRequest, codeGateway, "spend_limits.rules.%d.%s", i, wrong)
		}
	}
	return nil
}

func (d dimension) valid() bool {
	return d.Mode == "partition" && d.Values == nil || d.Mode == "filter" && len(d.Values) > 0
}
