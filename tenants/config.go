package tenants

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
}

// Limits bounds what one request may bring.
type Limits struct {
	BodyBytes     int64 `json:"bodyBytes,omitempty"`     // any request body
	DocumentBytes int64 `json:"documentBytes,omitempty"` // the text of one document
	QueryChars    int   `json:"queryChars,omitempty"`    // a search query
}

// Search sets what a search returns when the request does not say.
type Search struct {
	TopK    int `json:"topK,omitempty"`
	MaxTopK int `json:"maxTopK,omitempty"`

	// Filterable are the fields of a document's metadata that searches may filter on, with their types. The index
	// must know them before it takes vectors, and holds few: 8 for all tenants of a pool together.
	Filterable map[string]FieldType `json:"filterable,omitempty"`
}

// FieldType is the type of a filterable metadata field.
type FieldType string

// The field types, as Vectorize has them.
const (
	FieldString  FieldType = "string"
	FieldNumber  FieldType = "number"
	FieldBoolean FieldType = "boolean"
)
