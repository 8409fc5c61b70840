package tenants

import (
	"slices"
	"strings"
)

// Source is where documents of the tenant come from on their own: a system that calls our webhook, or one that is looked
// at again and again. It has at least one of the two.
type Source struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"` // for people
	// IDPrefix is what the ids of its documents begin with: "cms/". No other source writes or deletes documents below it. Without one the
	// ids are as the source has them, and sources that use the same ones write the same documents.
	IDPrefix string   `json:"idPrefix,omitempty"`
	Webhook  *Webhook `json:"webhook,omitempty"`
	Sync     *Sync    `json:"sync,omitempty"`
}

// Webhook is how the source may call POST /ingest/webhooks/{id}, and what its events mean.
type Webhook struct {
	// Secrets are the names of the secrets that sign its deliveries. During a rotation there are two, and both verify.
	Secrets []string `json:"secrets"`
	// Origins are the hosts that the handshake of the CloudEvents webhook specification lets send; empty lets all. It is a
	// courtesy between senders and receivers: what proves a delivery is its signature.
	Origins []string `json:"origins,omitempty"`
	// Deletes are the event types that delete the document of the event's subject. A * at the end stands for anything.
	Deletes []string `json:"deletes,omitempty"`
	// Fields says where in an event's data a document's fields are. Without it the data is what POST /ingest takes.
	Fields *Fields `json:"fields,omitempty"`
}

// Fields are JSON Pointers (RFC 6901) into an event's data.
type Fields struct {
	DocID       string            `json:"docId,omitempty"` // default: the event's subject, else its id
	Text        string            `json:"text,omitempty"`
	Title       string            `json:"title,omitempty"`
	URL         string            `json:"url,omitempty"`
	Source      string            `json:"source,omitempty"`
	ContentType string            `json:"contentType,omitempty"`
	Metadata    map[string]string `json:"metadata,omitempty"` // a pointer for each field of the metadata
}

// Sync is what to import again and again: exactly one of URLs, Sitemap and Prefix.
type Sync struct {
	URLs         []string `json:"urls,omitempty"`
	Sitemap      string   `json:"sitemap,omitempty"` // its URL
	Prefix       string   `json:"prefix,omitempty"`  // of the tenant's files in the store
	EveryMinutes int      `json:"everyMinutes,omitempty"`
}

// Ingest says how documents come in.
type Ingest struct {
	Weight          int   `json:"weight,omitempty"`          // the tenant's share where tenants compete
	MaxWaiting      int   `json:"maxWaiting,omitempty"`      // documents that may wait for their turn
	DeadlineMinutes int   `json:"deadlineMinutes,omitempty"` // by when a document that has begun is looked after
	Fetch           Fetch `json:"fetch,omitzero"`
}

// Fetch says from where documents may be fetched.
type Fetch struct {
	Hosts   []string `json:"hosts,omitempty"`   // "docs.example.com", "*.example.com"; empty: any public host
	Private bool     `json:"private,omitempty"` // also addresses of private networks; refused in prod
}

// Source is the source of an id.
func (c *Config) Source(id string) (*Source, bool) {
	i := slices.IndexFunc(c.Sources, func(s Source) bool { return s.ID == id })
	if i < 0 {
		return nil, false
	}
	return &c.Sources[i], true
}

// SourceOf is the source that has the document of an id to itself, by its prefix.
func (c *Config) SourceOf(docID string) (*Source, bool) {
	i := slices.IndexFunc(c.Sources, func(s Source) bool { return s.IDPrefix != "" && strings.HasPrefix(docID, s.IDPrefix) })
	if i < 0 {
		return nil, false
	}
	return &c.Sources[i], true
}

// AllowsOrigin reports whether a sender of this host may call the webhook.
func (w *Webhook) AllowsOrigin(host string) bool {
	return len(w.Origins) == 0 || slices.ContainsFunc(w.Origins, func(o string) bool {
		return o == "*" || strings.EqualFold(o, host)
	})
}

// IsDelete reports whether events of a type delete.
func (w *Webhook) IsDelete(eventType string) bool {
	return slices.ContainsFunc(w.Deletes, func(pattern string) bool {
		prefix, open := strings.CutSuffix(pattern, "*")
		return eventType == pattern || open && strings.HasPrefix(eventType, prefix)
	})
}
