package api

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/rag"
)

type chatRequest struct {
	SessionID   string        `json:"sessionId"`
	Message     string        `json:"message"`
	ToolResults []toolResult  `json:"toolResults"` // of the calls that the last turn ended with
	Stream      *bool         `json:"stream"`
	ModelID     string        `json:"modelId"`
	UserID      string        `json:"userId"`
	RAG         *ragRequest   `json:"rag"`
	Tools       []toolRequest `json:"tools"`
	ToolName    string        `json:"tool_name,omitempty"` // is run first
	System      string        `json:"system"`
	MaxTokens   *int          `json:"maxTokens"`
	Temperature *float64      `json:"temperature"`

	ToolParams json.RawMessage `json:"tool_params,omitempty"`
}

type toolResult struct {
	ToolCallID string `json:"toolCallId"`
	Content    string `json:"content"`
}

type ragRequest struct {
	TopK   *int            `json:"topK"`
	Filter json.RawMessage `json:"filter"`
}

// toolRequest is a tool as OpenAI has them, or one of the platform's.
type toolRequest struct {
	Type     string          `json:"type"`
	Name     string          `json:"name,omitempty"` // of the platform's
	Function functionRequest `json:"function"`
}

type functionRequest struct {
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Parameters  json.RawMessage `json:"parameters"`
	Strict      *bool           `json:"strict"`
}

// What a request may bring, besides what the tenant's limits say.
const (
	maxTools       = 128
	maxToolName    = 64
	maxToolCallID  = 128
	maxToolResults = 128
	maxTemperature = 2
)

// turn checks the request against the tenant's limits and makes of it what a conversation takes.
func (req *chatRequest) turn(c *call) (chat.Request, error) {
	if err := req.check(c); err != nil {
		return chat.Request{}, err
	}
	models, err := llm.Candidates(c.config.Models, req.ModelID)
	if err != nil {
		return chat.Request{}, asChatField(err)
	}
	tools, asked, err := toolsOf(req.Tools)
	if err != nil {
		return chat.Request{}, err
	}
	kit, err := c.kit(asked, tools, true, req.UserID)
	if err != nil {
		return chat.Request{}, err
	}
	grounding, err := req.grounding(c)
	if err != nil {
		return chat.Request{}, err
	}
	key, err := req.key(c.idempotencyKey)
	if err != nil {
		return chat.Request{}, err
	}
	maxTokens := c.config.Chat.MaxTokens
	if req.MaxTokens != nil {
		maxTokens = *req.MaxTokens
	}
	return chat.Request{
		Session: req.SessionID, Key: key, User: req.UserID, Messages: req.messages(), System: joined(c.config.Chat.System, req.System),
		Models: models, Tools: tools, Kit: kit, MaxTokens: maxTokens, Grounding: grounding, Temperature: req.Temperature,
		Policy: c.config.Safety, Keep: chat.Retention(c.config.Sessions), RequestID: c.requestID, Cause: c.cause(),
	}, nil
}

// check is what needs nothing but the request and the tenant's limits.
func (req *chatRequest) check(c *call) error {
	if req.SessionID != "" {
		if err := chat.CheckSessionID(req.SessionID); err != nil {
			return err
		}
	}
	if err := checkUser("userId", req.UserID); err != nil {
		return err
	}
	if err := req.checkSaid(c.config.Limits.MessageChars); err != nil {
		return err
	}
	if err := req.checkFirst(); err != nil {
		return err
	}
	if limit := c.config.Chat.MaxTokensLimit; req.MaxTokens != nil && (*req.MaxTokens < 1 || *req.MaxTokens > limit) {
		return fault.Invalidf("maxTokens", "value_out_of_range", "%d is not between 1 and %d", *req.MaxTokens, limit)
	}
	if t := req.Temperature; t != nil && (*t < 0 || *t > maxTemperature) {
		return fault.Invalidf("temperature", "value_out_of_range", "%v is not between 0 and %d", *t, maxTemperature)
	}
	return nil
}

// checkSaid wants something said, and not more than the tenant's limit in all that the model is told.
func (req *chatRequest) checkSaid(limit int) error {
	said := strings.TrimSpace(req.Message) != ""
	switch {
	case !said && len(req.ToolResults) == 0:
		return fault.Invalidf("message", "field_required", "is required")
	case !said && req.Message != "":
		return fault.Invalidf("message", "invalid_value", "says nothing")
	case len(req.ToolResults) > 0 && req.SessionID == "":
		return fault.Invalidf("sessionId", "field_required", "is required with toolResults: the session in which the tools were called")
	case len(req.ToolResults) > maxToolResults:
		return fault.Invalidf("toolResults", "value_out_of_range", "are %d, above %d", len(req.ToolResults), maxToolResults)
	}
	chars := utf8.RuneCountInString(req.Message) + utf8.RuneCountInString(req.System)
	for i, r := range req.ToolResults {
		if r.ToolCallID == "" || len(r.ToolCallID) > maxToolCallID {
			return fault.Invalidf(fmt.Sprintf("toolResults[%d].toolCallId", i), "invalid_value", "is not the id of a call")
		}
		chars += utf8.RuneCountInString(r.Content)
	}
	for _, t := range req.Tools {
		chars += utf8.RuneCountInString(t.Function.Description) + utf8.RuneCount(t.Function.Parameters)
	}
	if chars > limit {
		return withDetails(fault.Invalidf("message", "message_too_long",
			"with system, tools and their results %d characters are said, above %d", chars, limit), details{Limit: int64(limit)})
	}
	return nil
}

// messages is what the client says: what came of the tools, then its own words.
func (req *chatRequest) messages() []llm.Message {
	said := make([]llm.Message, 0, len(req.ToolResults)+1)
	for _, r := range req.ToolResults {
		said = append(said, llm.Message{Role: llm.ToolRole, Content: r.Content, ToolCallID: r.ToolCallID})
	}
	if req.Message != "" {
		said = append(said, llm.Message{Role: llm.User, Content: req.Message})
	}
	return said
}

func (req *chatRequest) grounding(c *call) (*chat.Grounding, error) {
	if req.RAG == nil {
		return nil, nil
	}
	if req.Message == "" {
		return nil, fault.Invalidf("rag", "invalid_value", "needs a message to search for")
	}
	limits := c.config.Search
	topK := limits.TopK
	if req.RAG.TopK != nil {
		topK = *req.RAG.TopK
	}
	if topK < 1 || topK > limits.MaxTopK {
		return nil, fault.Invalidf("rag.topK", "value_out_of_range", "%d is not between 1 and %d", topK, limits.MaxTopK)
	}
	if _, err := rag.ParseFilter(req.RAG.Filter, limits.Filterable); err != nil {
		return nil, inField(err, func(field string) string { return "rag." + field })
	}
	return &chat.Grounding{
		TopK: topK, Filter: req.RAG.Filter, Model: c.config.Models.Embedding, Fields: limits.Filterable, Boosts: limits.Boosts,
		Drop: c.config.Answers.Unsupported == tenants.UnsupportedDrop, Unknown: c.config.Answers.Unknown,
	}, nil
}

// key is the caller's idempotency key and what was asked with it, however it is to be answered.
func (req *chatRequest) key(idempotencyKey string) (string, error) {
	if idempotencyKey == "" {
		return "", nil
	}
	same := *req
	same.Stream = nil
	b, err := json.Marshal(same)
	if err != nil {
		return "", fault.New(fault.Internal, "request_hash", "", err)
	}
	sum := sha256.Sum256(b)
	return idempotencyKey + ":" + base64.RawURLEncoding.EncodeToString(sum[:]), nil
}

// toolsOf checks the tools a model may call: the client's, and which of the platform's.
func toolsOf(sent []toolRequest) (tools []llm.Tool, asked []offered, err error) {
	if len(sent) > maxTools {
		return nil, nil, fault.Invalidf("tools", "value_out_of_range", "are %d, above %d", len(sent), maxTools)
	}
	for i, t := range sent {
		at := fmt.Sprintf("tools[%d]", i)
		f := t.Function
		switch {
		case t.Type == "platform" && f.empty():
			asked = append(asked, offered{t.Name, at})
			continue
		case t.Type == "platform":
			return nil, nil, fault.Invalidf(at+".function", "invalid_value", "belongs to a tool of the client's; one of the platform's has a name alone")
		case t.Type != "function":
			return nil, nil, fault.Invalidf(at+".type", "invalid_value", `is not "function" or "platform"`)
		case t.Name != "":
			return nil, nil, fault.Invalidf(at+".name", "invalid_value", "belongs to a tool of the platform's; one of the client's has it in function")
		}
		if !isToolName(f.Name) {
			return nil, nil, fault.Invalidf(at+".function.name", "invalid_value", "is not 1 to %d letters, digits, _ and -", maxToolName)
		}
		for _, had := range tools {
			if had.Name == f.Name {
				return nil, nil, fault.Invalidf(at+".function.name", "invalid_value", "another tool is named %q", f.Name)
			}
		}
		if string(f.Parameters) == "null" {
			f.Parameters = nil
		}
		if len(f.Parameters) > 0 && f.Parameters[0] != '{' {
			return nil, nil, fault.Invalidf(at+".function.parameters", "invalid_type", "expected %s, a JSON Schema", isObject)
		}
		tools = append(tools, llm.Tool(f))
	}
	return tools, asked, nil
}

func (f *functionRequest) empty() bool {
	return f.Name == "" && f.Description == "" && len(f.Parameters) == 0 && f.Strict == nil
}

func isToolName(name string) bool {
	for i := range len(name) {
		c := name[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return name != "" && len(name) <= maxToolName
}

// need is about the most that the call of a model for the turn may cost: what is reserved for it presently, so that it can
// be leased with the permit. The session's past and the sources are not known yet.
func need(r chat.Request, window int) quota.Amount {
	said := append([]llm.Message{{Role: llm.System, Content: r.System}}, r.Messages...)
	prompt := llm.Prompt{Messages: said, Tools: r.Tools, MaxTokens: r.MaxTokens}
	if r.Kit != nil {
		prompt.Tools = slices.Concat(prompt.Tools, r.Kit.Tools)
	}
	a := llm.Order{Models: r.Models, Prompt: prompt}.Most()
	var unknown llm.Usage
	if r.Session != "" {
		unknown.Prompt = boundToken * window
	}
	if r.Grounding != nil {
		unknown.Prompt += boundSource * r.Grounding.TopK
	}
	dearest := int64(0)
	for _, m := range r.Models {
		dearest = max(dearest, m.Price.Of(unknown.Units()))
	}
	return a.Add(quota.Amount{Tokens: int64(unknown.Total()), Nanos: dearest})
}

// What is reserved for a token that was estimated, and for a source, which is a chunk: bytes.
const (
	boundToken  = 4
	boundSource = 2_500
)

// joined is the tenant's own words to the model and then the request's.
func joined(tenant, request string) string {
	if tenant == "" || request == "" {
		return tenant + request
	}
	return tenant + "\n\n" + request
}

// asChatField names the field of a mistake as requests to /chat call it.
func asChatField(err error) error {
	return inField(err, func(field string) string {
		switch {
		case field == "model":
			return "modelId"
		case field == "messages" && fault.As(err).Code == "tool_call_unknown":
			return "toolResults"
		case field == "messages":
			return "message"
		}
		return field
	})
}

// inField gives the mistake of a deeper layer the path it has in the request.
func inField(err error, path func(field string) string) error {
	var f *fault.Error
	if !errors.As(err, &f) || f.Field == "" {
		return err
	}
	moved := *f
	moved.Field = path(f.Field)
	var more *detailed
	if errors.As(err, &more) {
		return withDetails(&moved, more.details)
	}
	return &moved
}
