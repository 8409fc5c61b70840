package api

import (
	"errors"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"levada.dev/api/openai"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
)

// complete answers a conversation that the client keeps itself. When the client leaves, the model is stopped, and what it
// has said until then is paid.
func complete(c *call) error {
	req, err := openai.DecodeChat(c.body)
	if err != nil {
		return err
	}
	c.dropBody() // nothing of the request points into it
	order, err := c.order(&req)
	if err != nil {
		return err
	}
	c.user = req.User
	if err := c.screen(spoken(order.Prompt.Messages)...); err != nil {
		return inText(err, "messages")
	}
	if err := c.sift(order.Prompt.Messages); err != nil {
		return err
	}
	begin, most, err := c.withTools(&req, order)
	if err != nil {
		return err
	}
	if err := c.permitOpenAI(req.User, most); err != nil {
		return err
	}
	if err := c.guarded(spoken(order.Prompt.Messages)...); err != nil {
		return inText(err, "messages")
	}
	began := c.opts.Now()
	answer, err := begin()
	c.stage("model", began)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Close() }() // whatever it says, the client has what there was
	if order.Cache > 0 {
		c.w.Header()["X-Levada-Cache"] = cacheWords[answer.Cached()]
	}
	head := openai.Head{ID: "chatcmpl-" + c.requestID, Created: c.start.Unix(), Model: answer.Source().Model}
	if req.Prompt.Stream {
		return c.tellChunks(answer, openai.NewChunks(head, req.IncludeUsage))
	}
	return c.tellWhole(answer, head)
}

var cacheWords = map[bool][]string{true: {"HIT"}, false: {"MISS"}}

// order checks the request against the tenant's limits and makes of it what a generator takes.
func (c *call) order(req *openai.ChatRequest) (llm.Order, error) {
	config, p := c.config, &req.Prompt
	if err := checkSaid(p, config.Limits.MessageChars); err != nil {
		return llm.Order{}, err
	}
	switch limit := config.Chat.MaxTokensLimit; {
	case p.MaxTokens == 0:
		p.MaxTokens = config.Chat.MaxTokens
	case p.MaxTokens > limit:
		return llm.Order{}, fault.Invalidf(req.Limit, "invalid_value",
			"'%s' is too large: %d. At most %d completion tokens are allowed here.", req.Limit, p.MaxTokens, limit)
	}
	models, err := llm.Candidates(config.Models, req.Model)
	if err != nil {
		return llm.Order{}, modelFault(err)
	}
	p.Messages = instructed(config.Chat.System, p.Messages)
	o := llm.Order{Models: models, Call: llm.Call{Purpose: llm.ForChat, RequestID: c.requestID}, Prompt: *p,
		Redact: config.Safety.Answers == tenants.RedactOn}
	if req.CacheKey != "" && chat.CheckSessionID(req.CacheKey) == nil {
		o.Call.Session = req.CacheKey
	}
	if ttl := config.Chat.CacheTTLSeconds; ttl > 0 && !wantsFresh(c.r.Header.Get("Cache-Control")) {
		o.Cache = time.Duration(ttl) * time.Second
	}
	return o, nil
}

// instructed puts the tenant's own words to the model before the request's.
func instructed(system string, messages []llm.Message) []llm.Message {
	switch {
	case system == "":
		return messages
	case messages[0].Role == llm.System:
		messages[0].Content = joined(system, messages[0].Content)
		return messages
	}
	return append([]llm.Message{{Role: llm.System, Content: system}}, messages...)
}

// wantsFresh reports whether the caller wants no answer that was given before.
func wantsFresh(cacheControl string) bool {
	if cacheControl == "" {
		return false
	}
	lower := strings.ToLower(cacheControl)
	return strings.Contains(lower, "no-cache") || strings.Contains(lower, "no-store")
}

// checkSaid limits all that a request says to the model. Characters are counted only when the bytes are too many.
func checkSaid(p *llm.Prompt, limit int) error {
	if said(p, func(s string) int { return len(s) }) <= limit {
		return nil
	}
	if chars := said(p, utf8.RuneCountInString); chars > limit {
		return fault.Invalidf("messages", "message_too_long",
			"The messages and tools are %d characters long, above this tenant's limit of %d.", chars, limit)
	}
	return nil
}

func said(p *llm.Prompt, length func(string) int) (n int) {
	for i := range p.Messages {
		m := &p.Messages[i]
		n += length(m.Content)
		for _, t := range m.ToolCalls {
			n += length(t.Name) + length(t.Arguments)
		}
	}
	for _, t := range p.Tools {
		n += length(t.Name) + length(t.Description) + length(string(t.Parameters))
	}
	return n + length(string(p.Format))
}

// tellWhole answers when all of the answer is there.
func (c *call) tellWhole(answer llm.Answer, head openai.Head) error {
	var whole openai.Completion
	if err := hearOut(c, answer.Next, whole.Add); err != nil {
		return err
	}
	whole.Safety = c.toldOf(answer)
	return c.raw(whole.Append(nil, head))
}

// tellChunks tells the answer as it comes, and in a silence, as while a tool runs, that it lives. Pieces that are there at once go out together.
// What goes wrong after the first byte is the last event.
func (c *call) tellChunks(answer llm.Answer, chunks *openai.Chunks) error {
	open := c.openStream()
	defer open.free()
	s := beat(open)
	defer s.stop()
	for {
		d, err := answer.Next()
		switch {
		case err == nil:
			if d.Finish != "" {
				chunks.Safety = c.toldOf(answer)
			}
			c.seen.First()
			s.buf = chunks.Append(s.buf, d)
		case errors.Is(err, io.EOF):
			chunks.Safety = c.toldOf(answer)
			s.buf = chunks.End(s.buf)
			s.end()
			return nil
		case c.ctx().Err() != nil:
			c.err = errClientLeft
			return nil
		default:
			c.err, c.broken = err, true
			f, status := c.classify(err)
			s.buf = chunks.Fail(s.buf, f, openai.Status(f, status))
			s.end()
			return nil
		}
		if len(s.buf) > muchToSay || len(s.buf) > 0 && !llm.Ready(answer) {
			if s.send() != nil {
				c.err = errClientLeft
				return nil
			}
		}
	}
}
