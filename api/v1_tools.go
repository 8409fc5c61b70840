package api

import (
	"slices"

	"levada.dev/api/openai"
	"levada.dev/events/fault"
	"levada.dev/tenants/quota"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/rag"
	"levada.dev/workflows/tools"
	"levada.dev/workflows/tools/loop"
)

// withTools is how the answer to an order begins, and what of it can cost at most at a time. Where the request offers tools of the platform's,
// they are run as the model wants, and the client sees nothing of it: it would run them itself. Such an answer is not kept for others.
func (c *call) withTools(req *openai.ChatRequest, order llm.Order) (begin func() (llm.Answer, error), most quota.Amount, err error) {
	plain := func() (llm.Answer, error) { return c.Generator.Generate(c.ctx(), c.scope, order) }
	if len(req.Platform) == 0 {
		return plain, order.Most(), nil
	}
	asked := make([]offered, len(req.Platform))
	for i, o := range req.Platform {
		asked[i] = offered{o.Name, o.At}
	}
	own := order.Prompt.Tools
	kit, err := c.kit(asked, own, false, req.User)
	if err != nil {
		return nil, most, offerFault(err)
	}
	if kit == nil { // the tenant's turns have no tools by themselves
		kit = &loop.Kit{}
	}
	if err := openai.CheckChoice(slices.Concat(own, kit.Tools), order.Prompt.ToolChoice); err != nil {
		return nil, most, err
	}
	if len(kit.Tools) == 0 {
		return plain, order.Most(), nil
	}
	mark, err := rag.NewDelimiter(c.opts.Random)
	if err != nil {
		return nil, most, err
	}
	order.Cache = 0
	order.Prompt.Messages = noted(order.Prompt.Messages, loop.Instruction(mark))
	once := ""
	if c.idempotencyKey != "" {
		once = "completion/" + c.idempotencyKey // which neither a stream nor a request that runs a tool first is called
	}
	costs := order
	costs.Prompt.Tools = slices.Concat(own, kit.Tools)
	return func() (llm.Answer, error) {
		return loop.Generate(c.ctx(), c.Generator, c.scope, loop.Order{Order: order, Kit: kit, Mark: mark, Once: once})
	}, costs.Most(), nil
}

// noted puts words to the model behind those of the system, so that these are what every request begins with.
func noted(messages []llm.Message, words string) []llm.Message {
	if messages[0].Role != llm.System {
		return instructed(words, messages)
	}
	messages[0].Content = joined(messages[0].Content, words)
	return messages
}

// offerFault says of a tool that there is not what OpenAI's clients understand: a mistake in the request.
func offerFault(err error) error {
	f := fault.As(err)
	if f.Code != tools.CodeNotFound && f.Code != tools.CodeDenied {
		return err
	}
	told := *f
	told.Message = "'" + f.Field + "': " + f.Message + "."
	if f.Code == tools.CodeNotFound {
		told.Kind, told.Code = fault.Invalid, "invalid_value"
	}
	return &told
}
