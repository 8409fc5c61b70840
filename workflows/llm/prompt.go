package llm

import "encoding/json"

// Prompt is what a model is asked. The zero value of an option leaves it to the model.
type Prompt struct {
	Messages   []Message
	Tools      []Tool
	ToolChoice json.RawMessage // OpenAI's: "auto", "none", "required" or an object that names one
	Format     json.RawMessage // OpenAI's response_format: json_object or json_schema
	MaxTokens  int             // of the answer; always set by who pays for it
	Stream     bool            // whether the answer is wanted piece by piece

	Temperature      *float64
	TopP             *float64
	FrequencyPenalty *float64
	PresencePenalty  *float64
	Seed             *int64
	Stop             []string
	ReasoningEffort  string
	Parallel         *bool // whether several tools may be called at once
}

// Role is who says a message.
type Role string

// The roles.
const (
	System    Role = "system"
	User      Role = "user"
	Assistant Role = "assistant"
	ToolRole  Role = "tool" // the outcome of a call
)

// Message is one turn of a conversation.
type Message struct {
	Role       Role       `json:"role"`
	Content    string     `json:"content"`
	Name       string     `json:"name,omitempty"`
	ToolCalls  []ToolCall `json:"toolCalls,omitempty"`  // of the assistant
	ToolCallID string     `json:"toolCallId,omitempty"` // whose outcome this is
}

// ToolCall is a call that the model wants made.
type ToolCall struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Arguments string `json:"arguments"` // a JSON object, as the model wrote it
}

// Tool is a function that the model may ask for.
type Tool struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters,omitempty"` // JSON Schema
	Strict      *bool           `json:"strict,omitempty"`
}
