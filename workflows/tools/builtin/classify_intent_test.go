package builtin

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/llm/llmtest"
)

func TestClassifyIntent(t *testing.T) {
	acme, globex := two(t)
	for text, want := range map[string]string{
		"Hello there, good morning!":                       "greeting",
		"I was charged twice, please send my money back.":  "billing",
		"The app shows an error message and crashes.":      "technical_support",
		"I want to cancel my subscription.":                "cancellation",
		"I forgot my password and cannot log in.":          "account",
		"Where is my package? It has not arrived.":         "shipping",
		"Goodbye, see you later":                           "farewell",
		"How much does it cost? I want to buy two.":        "purchase",
		"Ich möchte meinen Vertrag kündigen.":              "cancellation",
		"This is unacceptable, the worst service.":         "complaint",
		"Je veux un remboursement de ma facture":           "billing",
		"Esqueci a minha senha e não consigo entrar conta": "account",
	} {
		for _, d := range []Deps{{}, {Embedder: &llmtest.Embedder{}}} {
			for _, c := range []*tenants.Config{acme, globex} {
				got, err := call[classifyIntentOutput](t, d, c, "classify_intent", in{"text": text})
				require.NoError(t, err)
				assert.Equal(t, want, got.Intent, text)
				assert.Greater(t, got.Confidence, 1.0/12, text)
				assert.Len(t, got.CategoriesConsidered, 12)
			}
		}
	}
}

func TestOwnCategories(t *testing.T) {
	acme, globex := two(t)
	categories := []string{"book_flight", "Wetter: Regen, Sonne", "refund-request"}
	for _, c := range []*tenants.Config{acme, globex} {
		got, err := call[classifyIntentOutput](t, Deps{}, c, "classify_intent", in{"text": "please book a flight to Lisbon", "categories": categories})
		require.NoError(t, err)
		assert.Equal(t, "book_flight", got.Intent)
		assert.Equal(t, categories, got.CategoriesConsidered)
		assert.Greater(t, got.Confidence, 0.9)
		got, err = call[classifyIntentOutput](t, Deps{}, c, "classify_intent", in{"text": "xyzzy", "categories": categories})
		require.NoError(t, err)
		assert.InDelta(t, 1.0/3, got.Confidence, 0.001, "nothing tells them apart")
	}
	one, err := call[classifyIntentOutput](t, Deps{}, acme, "classify_intent", in{"text": "xyzzy", "categories": []string{"a"}})
	require.NoError(t, err)
	assert.Equal(t, classifyIntentOutput{"a", 1, []string{"a"}}, one)
}

func TestIntentsThatAreRefused(t *testing.T) {
	for _, c := range []struct {
		input          in
		field, message string
	}{
		{in{"text": ""}, "params.text", "below 1"}, {in{"text": " "}, "text", "is blank"},
		{in{"text": "a", "categories": []string{"a", "a"}}, "params.categories", "twice"}, {in{"text": "a", "categories": []string{"a", " "}}, "categories[1]", "is blank"},
		{in{"text": "a", "categories": []string{""}}, "params.categories[0]", "below 1"}, {in{"text": string(make([]byte, 10_001))}, "params.text", "above 10000"},
	} {
		refused(t, Deps{}, "classify_intent", c.input, c.field, c.message)
	}
}

// What the model takes is paid for the tenant, under the capability of tools. One that does not answer is done without; one that is not paid is not.
func TestTheModelOfIntents(t *testing.T) {
	acme, globex := two(t)
	model := &llmtest.Embedder{}
	d := Deps{Embedder: model}
	for _, c := range []*tenants.Config{acme, globex} {
		_, err := call[classifyIntentOutput](t, d, c, "classify_intent", in{"text": "hello"})
		require.NoError(t, err)
		calls := model.Calls()
		last := calls[len(calls)-1]
		assert.Equal(t, []any{c.ID, 13, llm.ForTools, "r-1"}, []any{last.Tenant, last.Texts, last.Purpose, last.RequestID})
	}
	failing := func(err error) func(llm.Call, []string) error {
		return func(llm.Call, []string) error { return err }
	}
	model.Before = failing(fault.Unavailablef(nil, "model_busy", "busy"))
	got, err := call[classifyIntentOutput](t, d, acme, "classify_intent", in{"text": "goodbye"})
	require.NoError(t, err)
	assert.Equal(t, "farewell", got.Intent)
	model.Before = failing(fault.New(fault.Limited, "budget_exhausted", "", nil))
	_, err = call[classifyIntentOutput](t, d, acme, "classify_intent", in{"text": "goodbye"})
	assert.True(t, fault.Is(err, fault.Limited))
}
