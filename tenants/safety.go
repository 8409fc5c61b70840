package tenants

import "slices"

// Safety sets what texts are asked: docs/design/safety.md.
type Safety struct {
	Input     Screening `json:"input,omitempty"`     // what the user says, and the arguments of tools
	Retrieved Screening `json:"retrieved,omitempty"` // sources, and what tools bring
	Answers   Redacting `json:"answers,omitempty"`
	Model     string    `json:"model,omitempty"` // a guard model that is asked, too, of what the user says; none when empty
}

// GuardModels are the models that may be asked.
var GuardModels = []string{"@cf/meta/llama-guard-3-8b"}

// Screening is what becomes of a text that tries to take the model over.
type Screening string

// It is not asked, told of, or not let through.
const (
	ScreenOff   Screening = "off"
	ScreenFlag  Screening = "flag"
	ScreenBlock Screening = "block"
)

// Redacting is what becomes of personal data in answers.
type Redacting string

// It stays, or its kind stands in its place.
const (
	RedactOff Redacting = "off"
	RedactOn  Redacting = "redact"
)

func (c *Config) safetyDefaults() {
	setDefault(&c.Safety.Input, ScreenFlag)
	setDefault(&c.Safety.Retrieved, ScreenFlag)
	setDefault(&c.Safety.Answers, RedactOff)
}

func (c *Config) safetyProblems(ps *Problems) {
	screenings := []Screening{ScreenOff, ScreenFlag, ScreenBlock}
	for _, at := range []struct {
		path string
		is   Screening
	}{{"safety.input", c.Safety.Input}, {"safety.retrieved", c.Safety.Retrieved}} {
		if !slices.Contains(screenings, at.is) {
			ps.add(at.path, didYouMean(string(at.is), screenings), "%.40q is none of off, flag, block", at.is)
		}
	}
	if a := c.Safety.Answers; a != RedactOff && a != RedactOn {
		ps.add("safety.answers", didYouMean(string(a), []Redacting{RedactOff, RedactOn}), "%.40q is neither off nor redact", a)
	}
	if m := c.Safety.Model; m != "" && !slices.Contains(GuardModels, m) {
		ps.add("safety.model", didYouMean(m, GuardModels), "%.64q is not a guard model", m)
	}
}
