package api

import (
	"encoding/json"
	"strconv"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/safety"
	"levada.dev/workflows/safety/redact"
)

// screen asks of what a user says what the tenant's policy wants asked. It costs nothing, and comes before the permit: what is refused reserves
// nothing.
func (c *call) screen(texts ...string) error {
	v, err := c.Safety.Input(c.ctx(), c.scope, c.config.Safety, c.requestID, texts...)
	c.noted().Said(v, err != nil)
	c.showFlags()
	return err
}

// guarded asks the tenant's guard model, if it names one. Its call is paid, so it comes after the permit.
func (c *call) guarded(texts ...string) error {
	if c.config.Safety.Model == "" {
		return nil
	}
	began := c.opts.Now()
	v, err := c.Safety.Guarded(c.ctx(), c.scope, c.config.Safety, c.requestID, texts...)
	c.stage("guard", began)
	c.noted().Said(v, err != nil)
	c.showFlags()
	return err
}

// noted is what was found of the request's texts.
func (c *call) noted() *safety.Report {
	if c.report == nil {
		c.report = &safety.Report{}
	}
	return c.report
}

// toldOf is what was found, in the request's texts and in the answer; nil where that is nothing.
func (c *call) toldOf(a llm.Answer) json.RawMessage {
	told := c.told(llm.Redacted(a))
	if told == nil {
		return nil
	}
	b, _ := json.Marshal(told) // it is texts and numbers
	return b
}

func (c *call) told(redacted []string) *safety.Told {
	told := c.noted().All()
	if told == nil && len(redacted) > 0 {
		told = &safety.Told{}
	}
	if told != nil {
		told.Redacted = redacted
	}
	return told
}

// redacted is what a model has said, as the tenant's policy wants it told. Answers come so from their generator.
func (c *call) redacted(text string) string {
	if c.config.Safety.Answers == tenants.RedactOn {
		text, _ = redact.Text(text)
	}
	return text
}

// showFlags tells of the worst that was found so far in a header, unless the head is out.
func (c *call) showFlags() {
	if c.report == nil || c.w.status != 0 {
		return
	}
	if v := c.report.Worst(); v.Found() {
		c.w.Header().Set("X-Levada-Safety", string(v.Kind)+";rule="+v.Rule+";score="+strconv.FormatFloat(v.Score, 'f', 2, 64))
	}
}

func blocks(p tenants.Screening) bool { return p == tenants.ScreenBlock }

// sift asks of what tools have brought what the policy wants asked of it. What is not to be shown to a model stands as a remark in its place.
func (c *call) sift(messages []llm.Message) error {
	for i := range messages {
		m := &messages[i]
		if m.Role != llm.ToolRole {
			continue
		}
		content, v, err := c.Safety.Result(c.ctx(), c.scope, c.config.Safety, c.requestID, m.Content)
		if err != nil {
			return err
		}
		name := m.Name
		if !isToolName(name) {
			name = "" // any text may stand there, and the record keeps it
		}
		c.noted().Brought(name, v, blocks(c.config.Safety.Retrieved))
		m.Content = content
	}
	c.showFlags()
	return nil
}

// spoken is what users say in messages.
func spoken(messages []llm.Message) (texts []string) {
	for _, m := range messages {
		if m.Role == llm.User {
			texts = append(texts, m.Content)
		}
	}
	return texts
}

// inText gives what the screen refuses its field.
func inText(err error, field string) error {
	if f := fault.As(err); f.Code == safety.CodeBlocked {
		refused := *f
		refused.Field = field
		return &refused
	}
	return err
}
