package tenants_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"levada.dev/tenants"
)

func TestSafetyIsChecked(t *testing.T) {
	for text, want := range map[string]string{
		`"safety":{"input":"blok"}`:                                    `safety.input: "blok" is none of off, flag, block (did you mean "block"?)`,
		`"safety":{"retrieved":"redact"}`:                              `safety.retrieved: "redact" is none of off, flag, block (one of off, flag, block)`,
		`"safety":{"answers":"redcat"}`:                                `safety.answers: "redcat" is neither off nor redact (did you mean "redact"?)`,
		`"safety":{"model":"llama-guard"}`:                             `safety.model: "llama-guard" is not a guard model (one of @cf/meta/llama-guard-3-8b)`,
		`"safety":{"inputs":"off"}`:                                    `safety.inputs: is not a known field (did you mean "input"?)`,
		`"safety":{"model":"@cf/meta/llama-guard-3-8b","input":"off"}`: ``,
	} {
		_, problems := tenants.Inspect([]byte(`{"id":"acme","name":"A",` + text + `}`))
		got := ""
		for _, p := range problems {
			got += p.String()
		}
		assert.Equal(t, want, got, text)
	}
}
