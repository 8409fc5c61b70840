package price

import (
	_ "embed" // the table
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// Table is a price list.
type Table struct {
	At     string  `json:"at"`     // the day of which it is
	Source string  `json:"source"` // where it was read
	Models []Model `json:"models"`
}

// Model is what one model costs.
type Model struct {
	Name    string `json:"model"`        // the provider's
	As      string `json:"as,omitempty"` // the model that the source lists, where it does not list this name
	USD     Rate   `json:"nanoUSD"`      // in billionths of a US dollar: a thousandth of the dollars for a million
	Neurons Rate   `json:"microneurons"` // in millionths of a neuron: the neurons for a million
}

// Rate is what the units of a model cost, in one currency.
type Rate struct {
	Input     int64 `json:"input,omitempty"`     // a token that it reads
	Cached    int64 `json:"cached,omitempty"`    // one that the provider still had; where there is no such price it is Input's
	Output    int64 `json:"output,omitempty"`    // a token that it writes
	Character int64 `json:"character,omitempty"` // that it speaks
	Minute    int64 `json:"minute,omitempty"`    // of sound that it makes
}

// Units is what was used of a model.
type Units struct {
	Input, Cached, Output int64 // tokens; those that were cached are among the input
	Chars                 int64
	Sound                 time.Duration
}

// Of is what the units cost, with a part of a minute rounded up.
func (r Rate) Of(u Units) int64 {
	cached := r.Cached
	if cached == 0 {
		cached = r.Input
	}
	minute := time.Minute.Milliseconds()
	return (u.Input-u.Cached)*r.Input + u.Cached*cached + u.Output*r.Output + u.Chars*r.Character + (u.Sound.Milliseconds()*r.Minute+minute-1)/minute
}

//go:embed prices.json
var file []byte

var table = sync.OnceValue(func() (t Table) {
	if err := json.Unmarshal(file, &t); err != nil {
		panic(fmt.Errorf("price: prices.json: %w", err))
	}
	return t
})

// Prices is the table. It is not to be changed.
func Prices() Table { return table() }

// Of is what a model costs. There is none without a price, so it panics: nothing is free because it was forgotten.
func Of(name string) Model {
	for _, m := range table().Models {
		if m.Name == name {
			return m
		}
	}
	panic("price: " + name + " has no price; give it one in prices.json")
}
