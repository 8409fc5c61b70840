package meter

import "fmt"

// Metric is one thing that is counted.
type Metric uint8

// The metrics. Their places in the table are theirs in memory alone: what is kept and sent has their names.
const (
	Requests Metric = iota
	RequestDuration
	FirstToken
	Events
	EventWait
	BatchDuration
	DeadLetters
	Steps
	StepDuration
	ModelCalls
	ModelDuration
	ModelTokens
	ModelCharacters
	ModelCost
	ToolCalls
	ToolDuration
	Searches
	SearchTime
	SearchDuration
	ObjectDuration
	OutsideDuration
	SpansDropped
	count
)

// Unit is what the numbers of a metric are, as they are counted: whole ones.
type Unit string

// The units.
const (
	None    Unit = ""
	Micros  Unit = "µs"      // of histograms alone; seconds where others read it
	NanoUSD Unit = "nanoUSD" // US dollars where others read it
	Tokens  Unit = "tokens"
	Chars   Unit = "characters"
)

// Broken stands in place of the status of an answer that was cut short by a failure of ours: what its head had said was not so.
const Broken = "broken"

// Spec is a metric as people and programs know it.
type Spec struct {
	Name      string   // in OpenMetrics, without the endings of its kind: "levada_requests"
	Help      string   // one sentence
	Unit      Unit     //
	Histogram bool     // else it is a counter
	Labels    []string // their names, at most three
}

var specs = [count]Spec{
	Requests:        {"levada_requests", "Requests that were answered, by route and status; broken is an answer that failed after its head was out, _stranger is who had no key.", None, false, []string{"route", "method", "status"}},
	RequestDuration: {"levada_request_duration_seconds", "Time until a request was answered to its end, without what it was asked to wait.", Micros, true, []string{"route", "method"}},
	FirstToken:      {"levada_first_token_seconds", "Time until the first piece of a streamed answer went out.", Micros, true, []string{"route"}},
	Events:          {"levada_events", "Events that a handler was given.", None, false, []string{"handler", "outcome"}},
	EventWait:       {"levada_event_wait_seconds", "Age of an event when a handler was given it.", Micros, true, []string{"handler"}},
	BatchDuration:   {"levada_batch_duration_seconds", "Time that a handler took for a batch of events.", Micros, true, []string{"handler"}},
	DeadLetters:     {"levada_dead_letters", "Events that were given up.", None, false, []string{"queue"}},
	Steps:           {"levada_steps", "Attempts at steps of long jobs.", None, false, []string{"flow", "outcome"}},
	StepDuration:    {"levada_step_duration_seconds", "Time that a step of a long job took.", Micros, true, []string{"flow"}},
	ModelCalls:      {"levada_model_calls", "Calls of models.", None, false, []string{"model", "purpose", "outcome"}},
	ModelDuration:   {"levada_model_duration_seconds", "Time until a model had answered to its end.", Micros, true, []string{"model", "purpose"}},
	ModelTokens:     {"levada_model_tokens", "Tokens that models read and wrote.", Tokens, false, []string{"model", "purpose", "direction"}},
	ModelCharacters: {"levada_model_characters", "Characters that models spoke.", Chars, false, []string{"model"}},
	ModelCost:       {"levada_model_cost_usd", "What calls of models cost, as it was booked.", NanoUSD, false, []string{"model", "purpose"}},
	ToolCalls:       {"levada_tool_calls", "Calls of tools.", None, false, []string{"tool", "outcome"}},
	ToolDuration:    {"levada_tool_duration_seconds", "Time that a tool took.", Micros, true, []string{"tool"}},
	Searches:        {"levada_searches", "Searches, by where the answer came from.", None, false, []string{"cache"}},
	SearchTime:      {"levada_search_duration_seconds", "Time until a search was answered, by where the answer came from.", Micros, true, []string{"cache"}},
	SearchDuration:  {"levada_search_part_seconds", "Time that a part of a search took.", Micros, true, []string{"part"}},
	ObjectDuration:  {"levada_object_duration_seconds", "Time that a call of a Durable Object took.", Micros, true, []string{"class"}},
	OutsideDuration: {"levada_outside_duration_seconds", "Time that a server of somebody else took.", Micros, true, []string{"purpose"}},
	SpansDropped:    {"levada_spans_dropped", "Spans for which there was no room until the next were told.", None, false, []string{"worker"}},
}

// Spec is the metric's row of the table.
func (m Metric) Spec() Spec { return specs[m] }

// Metrics lists all of them, in the order of the table.
func Metrics() []Metric {
	all := make([]Metric, count)
	for i := range all {
		all[i] = Metric(i)
	}
	return all
}

// Named looks a metric up by its name.
func Named(name string) (Metric, bool) {
	for i, s := range specs {
		if s.Name == name {
			return Metric(i), true
		}
	}
	return 0, false
}

// MarshalText implements encoding.TextMarshaler: a metric is its name.
func (m Metric) MarshalText() ([]byte, error) {
	if m >= count {
		return nil, fmt.Errorf("meter: there is no metric %d", uint8(m))
	}
	return []byte(specs[m].Name), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *Metric) UnmarshalText(name []byte) error {
	found, known := Named(string(name))
	if !known {
		return fmt.Errorf("meter: there is no metric %.60q", name)
	}
	*m = found
	return nil
}
