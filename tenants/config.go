package tenants

import "time"

// Config is one tenant's configuration: tenants/<id>/tenant.config.json, validated before anything starts or
// is deployed (Inspect, and tenants/validate for all of them together), completed with defaults (Defaults),
// and published to the Directory (Publish). tenant.schema.json says the same for editors and people.
type Config struct {
	Schema       string   `json:"$schema,omitempty"` // for editors; it is not published
	ID           ID       `json:"id"`
	Name         string   `json:"name"`
	Pool         string   `json:"pool,omitempty"` // the deployment that serves the tenant; its own id when empty
	AllowedHosts []string `json:"allowedHosts,omitempty"`
	Auth         Auth     `json:"auth,omitzero"`
	CORS         CORS     `json:"cors,omitzero"`
	Models       Models   `json:"models,omitzero"`
	Limits       Limits   `json:"limits,omitzero"`
	Search       Search   `json:"search,omitzero"`
	Chat         Chat     `json:"chat,omitzero"`
	Sessions     Sessions `json:"sessions,omitzero"`
	Rates        Rates    `json:"rates,omitzero"`
	Budgets      Budgets  `json:"budgets,omitzero"`
	Sources      []Source `json:"sources,omitempty"`
	Ingest       Ingest   `json:"ingest,omitzero"`
	Answers      Answers  `json:"answers,omitzero"`
	Tools        Tools    `json:"tools,omitzero"`
	Safety       Safety   `json:"safety,omitzero"`
	Speech       Speech   `json:"speech,omitzero"`
	Webhook      *Hook    `json:"webhook,omitempty"` // is told of what happens

	// Prompts are the tenant's own, by their names: <id>/prompts/<name>.md. They are published beside the configuration.
	Prompts map[string]string `json:"-"`
}

// Auth says how callers prove who they are.
type Auth struct {
	Mode AuthMode `json:"mode,omitempty"`
}

// AuthMode is one of the ways in.
type AuthMode string

// The ways in. Open needs no key and is refused when the environment is prod.
const (
	AuthKeys AuthMode = "keys"
	AuthOpen AuthMode = "open"
)

// CORS says which web origins may call.
type CORS struct {
	Origins []string `json:"origins,omitempty"`
}

// Models names the models the tenant uses, by their Workers AI names.
type Models struct {
	Embedding string `json:"embedding,omitempty"`

	Chat         string   `json:"chat,omitempty"`         // answers when a request names none, or "default"
	ChatAllowed  []string `json:"chatAllowed,omitempty"`  // what requests may name besides it
	ChatFallback []string `json:"chatFallback,omitempty"` // asked in this order when a model is busy or fails
}

// Limits bounds what one request may bring.
type Limits struct {
	BodyBytes     int64 `json:"bodyBytes,omitempty"`     // any request body
	DocumentBytes int64 `json:"documentBytes,omitempty"` // the text of one document
	QueryChars    int   `json:"queryChars,omitempty"`    // a search query
	MessageChars  int   `json:"messageChars,omitempty"`  // all that a chat request says to the model
}

// Search sets what a search returns when the request does not say.
type Search struct {
	TopK    int `json:"topK,omitempty"`
	MaxTopK int `json:"maxTopK,omitempty"`

	// Shards is into how many objects the lexical index is divided. It may grow at any time and must never shrink.
	Shards int `json:"shards,omitempty"`

	// Filterable are the fields of a document's metadata that searches may filter on, with their types. The index
	// must know them before it takes vectors, and holds few: 8 for all tenants of a pool together.
	Filterable map[string]FieldType `json:"filterable,omitempty"`

	Boosts []Boost `json:"boosts,omitempty"`

	// CacheTTLSeconds is for how long an equal search may have the same result while no document changes; NoCache is never.
	CacheTTLSeconds int `json:"cacheTtlSeconds,omitempty"`
}

// What a search's cache may be told, in seconds.
const (
	NoCache               = -1
	DefaultSearchCacheTTL = 600
	MaxSearchCacheTTL     = 86_400 // what was found of a document is gone a day after it, at the latest
)

// CacheTTL is for how long an equal search may have the same result; 0 is never.
func (s *Search) CacheTTL() time.Duration {
	return max(0, time.Duration(s.CacheTTLSeconds)) * time.Second
}

// Boost raises or lowers the score of documents: those of a source, those with a value in a field of their metadata, or all of
// them by their age. Several that fit are multiplied.
type Boost struct {
	Source string `json:"source,omitempty"`

	Field  string `json:"field,omitempty"`
	Equals string `json:"equals,omitempty"` // a number or boolean as it is written

	// HalfLifeDays is after how many days half of what a new document is raised by is left. The age is that of Field, a time or a date
	// in RFC 3339, or, without one, of the document's last change.
	HalfLifeDays int `json:"halfLifeDays,omitempty"`

	Percent int `json:"percent"` // what becomes of the score: 100 changes nothing
}

// FieldType is the type of a filterable metadata field.
type FieldType string

// The field types, as Vectorize has them.
const (
	FieldString  FieldType = "string"
	FieldNumber  FieldType = "number"
	FieldBoolean FieldType = "boolean"
)

// Chat sets how answers are generated when the request does not say.
type Chat struct {
	System          string `json:"system,omitempty"`          // stands before every conversation
	MaxTokens       int    `json:"maxTokens,omitempty"`       // of an answer
	MaxTokensLimit  int    `json:"maxTokensLimit,omitempty"`  // what a request may ask for
	CacheTTLSeconds int    `json:"cacheTtlSeconds,omitempty"` // for how long equal requests get the same answer; 0 is never
}

// Answers sets how searches answer.
type Answers struct {
	Prompt      string      `json:"prompt,omitempty"`      // by its name and version; DefaultPrompt is there already
	Threshold   int         `json:"threshold,omitempty"`   // percent of confidence below which there is no answer
	Unsupported Unsupported `json:"unsupported,omitempty"` // what becomes of sentences that no source says
	Language    string      `json:"language,omitempty"`    // to answer in; the question's own when empty
	Unknown     string      `json:"unknown,omitempty"`     // what is said when there is no answer
}

// Unsupported is what becomes of a sentence that no source says.
type Unsupported string

// It is told as not supported, or left out.
const (
	UnsupportedMark Unsupported = "mark"
	UnsupportedDrop Unsupported = "drop"
)

// Sessions sets what is kept of conversations.
type Sessions struct {
	Days         int `json:"days,omitempty"`         // after the last turn
	Turns        int `json:"turns,omitempty"`        // the newest ones of a session
	WindowTokens int `json:"windowTokens,omitempty"` // of the history that the model is shown word for word; what is older is summarised
}

// Rates limits requests.
type Rates struct {
	Tenant Rate `json:"tenant,omitzero"` // of all its callers together
	User   Rate `json:"user,omitzero"`   // of one user at one address
}

// Rate is how many requests a minute are let through, and how many at once when there were none before.
type Rate struct {
	PerMinute int `json:"perMinute,omitempty"`
	Burst     int `json:"burst,omitempty"`
}

// Budgets limits what models may cost the tenant, by day and month (UTC), over everything that calls one.
type Budgets struct {
	TokensPerDay       int64 `json:"tokensPerDay,omitempty"`
	TokensPerMonth     int64 `json:"tokensPerMonth,omitempty"`
	CharactersPerDay   int64 `json:"charactersPerDay,omitempty"` // of texts that are spoken
	CharactersPerMonth int64 `json:"charactersPerMonth,omitempty"`
	USDPerDay          int64 `json:"usdPerDay,omitempty"`
	USDPerMonth        int64 `json:"usdPerMonth,omitempty"`
}
