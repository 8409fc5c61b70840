package tenants

// Speech says who speaks for the tenant.
type Speech struct {
	Enabled  bool   `json:"enabled,omitempty"`
	Model    string `json:"model,omitempty"`    // speaks when a request names none; NoSpeech is none at all
	Fallback string `json:"fallback,omitempty"` // is asked when the model is busy or fails, if it has spoken nothing of the text yet
	Voice    string `json:"voice,omitempty"`    // of the model; its first when empty
	// Voices are names of the tenant's own for voices of the models, besides OpenAI's, which they may replace.
	Voices   map[string]string `json:"voices,omitempty"`
	Format   string            `json:"format,omitempty"`   // of requests that name none, if it can be had
	KeepDays int               `json:"keepDays,omitempty"` // what was spoken
	Webhook  *Hook             `json:"webhook,omitempty"`  // is told that a job has ended, in place of the tenant's
}

// NoSpeech as a model is none.
const NoSpeech = "none"
