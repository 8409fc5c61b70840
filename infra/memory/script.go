package memory

import (
	"encoding/json"
	"strings"
	"time"

	"levada.dev/events/fault"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/llm/dialect"
)

// turn is one scripted answer; the fields are those of the offline platform's @local/script.
type turn struct {
	Tokens       []string `json:"tokens"`       // the pieces of the answer
	FirstDelayMs int      `json:"firstDelayMs"` // before the first
	DelayMs      int      `json:"delayMs"`      // before each other
	ToolCalls    []struct {
		ID        string          `json:"id"`
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"` // an object
	} `json:"toolCalls"`
	Error *struct { // is answered instead, Times times for this very script, and always if that is 0
		Code   int    `json:"code"`
		Status int    `json:"status"`
		Text   string `json:"text"`
	} `json:"error"`
	Times    int                               `json:"times"`
	CutAfter *int                              `json:"cutAfter"` // tokens, after which the answer breaks off
	Finish   llm.Finish                        `json:"finish"`
	Usage    *struct{ Prompt, Completion int } `json:"usage"`
	Echo     bool                              `json:"echo"` // the provider's input is the last token
}

// steps is the answer as the pieces of a stream.
func (t turn) steps(m llm.GenerationModel, p llm.Prompt, silent bool) (steps []step) {
	tokens := t.Tokens
	if t.Echo {
		in, _ := dialect.Encode(m, p) // what cannot be encoded is echoed as nothing
		tokens = append(tokens[:len(tokens):len(tokens)], string(in))
	}
	for i, token := range tokens {
		if t.CutAfter != nil && i == *t.CutAfter {
			break
		}
		delay := t.DelayMs
		if i == 0 {
			delay = t.FirstDelayMs
		}
		steps = append(steps, step{Delta: llm.Delta{Text: token}, delay: time.Duration(delay) * time.Millisecond})
	}
	if t.CutAfter != nil {
		return append(steps, step{cut: true})
	}
	for i, c := range t.ToolCalls {
		tool := llm.ToolDelta{Index: i, ID: c.ID, Name: c.Name, Arguments: string(c.Arguments)}
		if tool.ID == "" {
			tool.ID = dialect.CallID("", i)
		}
		steps = append(steps, step{Delta: llm.Delta{Tool: &tool}})
	}
	finish := t.Finish
	switch {
	case finish != "":
	case len(t.ToolCalls) > 0:
		finish = llm.FinishTools
	default:
		finish = llm.FinishStop
	}
	steps = append(steps, step{Delta: llm.Delta{Finish: finish}})
	if silent {
		return steps
	}
	usage := llm.Usage{Prompt: llm.Estimate(p), Completion: len(tokens)}
	if t.Usage != nil {
		usage.Prompt, usage.Completion = t.Usage.Prompt, t.Usage.Completion
	}
	return append(steps, step{Delta: llm.Delta{Usage: &usage}})
}

// readScript finds the turn that a prompt dictates, and the text of its whole script.
func readScript(m llm.GenerationModel, p llm.Prompt) (string, turn, error) {
	last := -1
	for i, message := range p.Messages {
		if message.Role == llm.User {
			last = i
		}
	}
	if last < 0 {
		return "", turn{}, fault.New(fault.Invalid, "model_refused", "model "+m.Name+" refused the input: no message of a user", nil)
	}
	content := p.Messages[last].Content
	at := strings.Index(content, `{"script":`)
	if at < 0 {
		return "", turn{Tokens: strings.SplitAfter(content, " ")}, nil
	}
	var holder struct{ Script json.RawMessage }
	if err := json.NewDecoder(strings.NewReader(content[at:])).Decode(&holder); err != nil {
		return "", turn{}, fault.New(fault.Invalid, "model_refused", "model "+m.Name+" refused the input: the script is not JSON", err)
	}
	var turns []turn
	if err := json.Unmarshal(holder.Script, &turns); err != nil {
		turns = make([]turn, 1)
		if err := json.Unmarshal(holder.Script, &turns[0]); err != nil {
			return "", turn{}, fault.New(fault.Invalid, "model_refused", "model "+m.Name+" refused the input: the script is not a turn", err)
		}
	}
	if len(turns) == 0 {
		return "", turn{}, fault.New(fault.Invalid, "model_refused", "model "+m.Name+" refused the input: the script has no turn", nil)
	}
	answered := 0
	for _, message := range p.Messages[last:] {
		if message.Role == llm.Assistant {
			answered++
		}
	}
	return string(holder.Script), turns[min(answered, len(turns)-1)], nil
}
