package api

import (
	"net/http"
	"slices"

	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/audio"
)

// voicesView is what requests of the tenant may ask for.
type voicesView struct {
	Model    string        `json:"model"` // of requests that name none
	Voice    string        `json:"voice"`
	Format   audio.Format  `json:"format"`
	Models   []speakerView `json:"models"`
	Voices   []voiceView   `json:"voices"`
	MinSpeed float64       `json:"minSpeed"`
	MaxSpeed float64       `json:"maxSpeed"`
	// MaxCharacters are those of a text, and MaxStreamed of one that is spoken while the caller waits.
	MaxCharacters int `json:"maxCharacters"`
	MaxStreamed   int `json:"maxStreamed"`
}

type speakerView struct {
	ID       string         `json:"id"`
	Language string         `json:"language"`
	Formats  []audio.Format `json:"formats"`
}

type voiceView struct {
	ID       string   `json:"id"`
	Model    string   `json:"model"`
	Language string   `json:"language"`
	Aliases  []string `json:"aliases"`
}

// listVoices answers the models that requests may name, and their voices.
func listVoices(c *call) error {
	terms := c.speechTerms()
	usual, err := terms.Order(speech.Request{Text: "a"}) // what a request gets that names nothing
	if err != nil {
		return err
	}
	v := voicesView{
		Model: usual.Model, Voice: usual.Voice, Format: usual.Format, MinSpeed: speech.MinSpeed / 100.0, MaxSpeed: speech.MaxSpeed / 100.0,
		MaxCharacters: speech.MaxText, MaxStreamed: speech.MaxStreamed,
	}
	for _, name := range c.speakers() {
		m, err := speech.FindModel(name)
		if err != nil {
			return err
		}
		v.Models = append(v.Models, speakerView{m.Name, m.Language, terms.Offers(m)})
		known := terms.Aliases(m)
		for _, voice := range m.Voices {
			view := voiceView{ID: voice, Model: m.Name, Language: m.Language, Aliases: []string{}}
			for alias, stands := range known {
				if stands == voice {
					view.Aliases = append(view.Aliases, alias)
				}
			}
			slices.Sort(view.Aliases)
			v.Voices = append(v.Voices, view)
		}
	}
	return c.ok(http.StatusOK, v)
}

// speakers are the names of the tenant's models that speak.
func (c *call) speakers() []string {
	s := c.config.Speech
	if c.speechTerms().Check() != nil {
		return nil
	}
	if s.Fallback == "" || s.Fallback == s.Model {
		return []string{s.Model}
	}
	return []string{s.Model, s.Fallback}
}
