package llm

import (
	"slices"
	"strings"

	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// Default is the name under which a request asks for the tenant's own model.
const Default = "default"

// Candidates is the models to ask, in this order, when a request of the tenant names one: that model and then the tenant's
// fallbacks, each once. "" and Default are the tenant's own. A model that the tenant's requests may not name is
// fault.Denied, code model_not_allowed; one that does not exist is fault.Invalid, code model_unknown.
func Candidates(m tenants.Models, requested string) ([]GenerationModel, error) {
	first := requested
	if first == "" || first == Default {
		first = m.Chat
	}
	known := slices.ContainsFunc(generationModels(), func(g GenerationModel) bool { return g.Name == first })
	switch {
	case first == m.Chat:
	case !known:
		return nil, fault.Invalidf("model", "model_unknown", "no model %.128q", requested).WithHint(allowed(m))
	case !slices.Contains(m.ChatAllowed, first):
		f := fault.New(fault.Denied, "model_not_allowed", requested+" is not allowed here", nil).WithHint(allowed(m))
		f.Field = "model"
		return nil, f
	}
	var out []GenerationModel
	for _, name := range append([]string{first}, m.ChatFallback...) {
		if slices.ContainsFunc(out, func(g GenerationModel) bool { return g.Name == name }) {
			continue
		}
		g, err := FindGeneration(name)
		if err != nil {
			return nil, fault.New(fault.Internal, "model_unconfigured", "the tenant's configuration names an unknown model", err)
		}
		out = append(out, g)
	}
	return out, nil
}

// allowed says what a request may name.
func allowed(m tenants.Models) string {
	return "allowed are " + strings.Join(Nameable(m), ", ")
}

// Nameable is what the tenant's requests may name as a model, Default first.
func Nameable(m tenants.Models) []string {
	names := []string{Default, m.Chat}
	for _, name := range m.ChatAllowed {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
