package loop

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"levada.dev/events/fault"
	"levada.dev/workflows/llm"
)

// Outcome is what came of a call, as it is told.
type Outcome struct {
	llm.ToolCall
	OK       bool
	Content  string // the result, cut to what fits; of a failed call {"error": {"code", "message", "field"?}}
	Duration time.Duration
}

// Message is the outcome as a conversation keeps it.
func (o Outcome) Message() llm.Message {
	return llm.Message{Role: llm.ToolRole, Name: o.Name, Content: o.Content, ToolCallID: o.ID}
}

// MaxResult is how many bytes of one result are shown and kept, and MaxResults of all results of a turn.
const (
	MaxResult  = 16 << 10
	MaxResults = 128 << 10
	minResult  = 256 // is shown of each, however little fits
)

// The codes of what the loop itself has to say of a call.
const (
	CodeNotOffered = "TOOL_NOT_FOUND" // as the tools' own
	codeRepeated   = "call_repeated"
	codeTooMany    = "too_many_calls"
	codeTime       = "turn_time_over"
)

// Failed is the outcome of a call that was not made, or failed.
func Failed(call llm.ToolCall, err error) Outcome {
	f := fault.As(err)
	message := f.Message
	if f.Hint != "" {
		message += " (" + f.Hint + ")"
	}
	return Outcome{ToolCall: call, Content: encode(map[string]any{"error": struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Field   string `json:"field,omitempty"`
	}{f.Code, message, f.Field}})}
}

// encode writes what always encodes, and leaves <, > and & alone.
func encode(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Cut is a text of at most so many bytes, which says what is missing.
func Cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	note := fmt.Sprintf(" ... (cut: %d bytes in all)", len(text))
	keep := max(0, most-len(note))
	for keep > 0 && !utf8.RuneStart(text[keep]) {
		keep--
	}
	return text[:keep] + note
}

// Make makes one call under the key of next, whatever happens, and cuts its result.
func (k *Kit) Make(ctx context.Context, call llm.ToolCall, next Call, most int) (o Outcome) {
	began := time.Now()
	defer func() {
		if p := recover(); p != nil {
			o = Failed(call, fault.New(fault.Internal, "internal", "the tool broke down", nil))
		}
		if o.Duration == 0 {
			o.Duration = time.Since(began)
		}
	}()
	input := strings.TrimSpace(call.Arguments)
	if input == "" {
		input = "{}"
	}
	next.Tool, next.Input = call.Name, json.RawMessage(input)
	done, err := k.Run(ctx, next)
	text := string(done.Data)
	if err == nil && k.Screen != nil {
		text, err = k.Screen(ctx, call.Name, text)
	}
	if err != nil {
		if cause := context.Cause(ctx); errors.Is(cause, errTime) {
			err = errTime
		}
		return Failed(call, err)
	}
	return Outcome{ToolCall: call, OK: true, Content: Cut(strings.ToValidUTF8(text, "\uFFFD"), most), Duration: done.Duration}
}

// What the loop itself has to say of a call.
var (
	errTime     error = fault.New(fault.Unavailable, codeTime, "the turn's time for tools is over; the call was not waited for any longer", nil)
	errRepeated error = fault.New(fault.Conflict, codeRepeated, "the same call was made before in this turn; its result stands above", nil)
	errTooMany  error = fault.New(fault.Limited, codeTooMany, fmt.Sprintf("only %d calls are made at once; this one was not made", maxCalls), nil)
)
