package corpus

import "time"

// Moved is what a document brings along that comes from another pool of its tenant: its times there, and how it was fetched.
type Moved struct {
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
	Fetched   *Visit    `json:"fetched,omitempty"`
}

// Visit is how a document was had from its address, which is what another fetch is held against.
type Visit struct {
	URL      string    `json:"url"`
	Asked    string    `json:"asked,omitempty"` // the content type that the client said
	ETag     string    `json:"etag,omitempty"`
	Modified time.Time `json:"modified,omitzero"`
	At       time.Time `json:"at,omitzero"` // none: it was not to be had
}
