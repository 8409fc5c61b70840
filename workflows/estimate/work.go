package estimate

import (
	"slices"
	"strings"

	"levada.dev/events/fault"
	"levada.dev/tenants/quota"
)

// Work is what is to be done. Which of its numbers are given goes by the capability.
type Work struct {
	Capability string `json:"capability"` // quota.Ingest, Search, Chat, Speech or Embeddings
	Model      string `json:"model"`      // "" is the tenant's

	Documents    *int64 `json:"documents"`    // ingest: how many
	Texts        *int64 `json:"texts"`        // embeddings: how many
	Bytes        *int64 `json:"bytes"`        // ingest, embeddings: of all of them,
	Tokens       *int64 `json:"tokens"`       // or this instead, where it was counted
	Queries      *int64 `json:"queries"`      // search
	Answer       *bool  `json:"answer"`       // search: absent is true
	Rerank       bool   `json:"rerank"`       // search
	Turns        *int64 `json:"turns"`        // chat
	PromptTokens *int64 `json:"promptTokens"` // chat: of one turn, with all that is said to the model
	MaxTokens    *int64 `json:"maxTokens"`    // chat: of one answer; absent is the tenant's
	Characters   *int64 `json:"characters"`   // speech
}

// number is one of a work's numbers.
type number struct {
	name  string
	value *int64
	most  int64
}

// What numbers are at most: more than anybody has, and little enough to be multiplied.
const (
	mostThings = 100_000_000
	mostUnits  = 1_000_000_000_000
	mostSpoken = 1_000_000_000
	mostTokens = 10_000_000_000_000 // of the whole estimate
)

func (w Work) numbers() []number {
	return []number{
		{"documents", w.Documents, mostThings}, {"texts", w.Texts, mostThings}, {"bytes", w.Bytes, mostUnits}, {"tokens", w.Tokens, mostUnits},
		{"queries", w.Queries, mostThings}, {"turns", w.Turns, mostThings}, {"promptTokens", w.PromptTokens, 10_000_000},
		{"maxTokens", w.MaxTokens, 1_000_000}, {"characters", w.Characters, mostSpoken},
	}
}

// form is what the work of a capability says of itself.
type form struct {
	needs []string // "a|b" is one of both
	takes []string // besides
}

var forms = map[string]form{
	quota.Ingest:     {needs: []string{"documents", "bytes|tokens"}},
	quota.Embeddings: {needs: []string{"texts", "bytes|tokens"}},
	quota.Search:     {needs: []string{"queries"}, takes: []string{"answer", "rerank"}},
	quota.Chat:       {needs: []string{"turns", "promptTokens"}, takes: []string{"maxTokens"}},
	quota.Speech:     {needs: []string{"characters"}},
}

// capabilities are those that can be estimated, in the order in which people are told of them.
var capabilities = []string{quota.Chat, quota.Search, quota.Ingest, quota.Speech, quota.Embeddings}

// check says what is wrong with which number.
func (w Work) check() error {
	f, known := forms[w.Capability]
	if !known {
		return fault.Invalidf("capability", "invalid_value", "%.40q cannot be estimated", w.Capability).WithHint("capabilities are " + strings.Join(capabilities, ", "))
	}
	given := map[string]bool{"answer": w.Answer != nil, "rerank": w.Rerank}
	for _, n := range w.numbers() {
		if n.value == nil {
			continue
		}
		given[n.name] = true
		if *n.value < 0 || *n.value > n.most {
			return fault.Invalidf(n.name, "value_out_of_range", "%d is not between 0 and %d", *n.value, n.most)
		}
	}
	allowed := slices.Clone(f.takes)
	for _, need := range f.needs {
		names := strings.Split(need, "|")
		allowed = append(allowed, names...)
		have := 0
		for _, name := range names {
			if given[name] {
				have++
			}
		}
		switch {
		case have == 0:
			return fault.Invalidf(names[0], "field_required", "is required of %s", w.Capability).WithHint(w.Capability + " is estimated by " + f.String())
		case have > 1:
			return fault.Invalidf(names[1], "invalid_value", "stands in the place of %s", names[0]).WithHint("give one of both")
		}
	}
	for _, name := range append([]string{"answer", "rerank"}, names(w.numbers())...) {
		if given[name] && !slices.Contains(allowed, name) {
			return fault.Invalidf(name, "invalid_value", "says nothing of %s", w.Capability).WithHint(w.Capability + " is estimated by " + f.String())
		}
	}
	return nil
}

func names(numbers []number) (all []string) {
	for _, n := range numbers {
		all = append(all, n.name)
	}
	return all
}

// String is what is to be given: "documents, bytes or tokens".
func (f form) String() string {
	return strings.ReplaceAll(strings.Join(slices.Concat(f.needs, f.takes), ", "), "|", " or ")
}

// of is a number, or what stands for one that was not given.
func of(n *int64, otherwise int64) int64 {
	if n == nil {
		return otherwise
	}
	return *n
}
