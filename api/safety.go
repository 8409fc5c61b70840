package api

import (
	"strconv"

	"levada.dev/events/fault"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/safety"
)

// screen asks of what a user says what the tenant's policy wants asked. It costs nothing, and comes before the permit: what is refused reserves
// nothing.
func (c *call) screen(texts ...string) error {
	v, err := c.Safety.Input(c.ctx(), c.scope, c.config.Safety, c.requestID, texts...)
	c.found(v)
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
	c.found(v)
	return err
}

// found tells of a verdict in a header, and in the line of the log.
func (c *call) found(v safety.Verdict) {
	if v.Score <= c.verdict.Score {
		return
	}
	c.verdict = v
	c.w.Header().Set("X-Levada-Safety", string(v.Kind)+";rule="+v.Rule+";score="+strconv.FormatFloat(v.Score, 'f', 2, 64))
}

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
		c.found(v)
		m.Content = content
	}
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
