package validate

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPromptsAreReadAndChecked(t *testing.T) {
	const good = "From <{{fence}}>.\n---\n{{sources}}{{question}}"
	fsys := folder(map[string]string{
		"acme":   `{"id": "acme", "name": "Acme", "answers": {"prompt": "short@1"}}`,
		"globex": `{"id": "globex", "name": "Globex"}`,
	})
	fsys["acme/prompts/short@1.md"] = &fstest.MapFile{Data: []byte(good)}
	configs, problems := Load(fsys, Rules{})
	require.Empty(t, problems)
	assert.Equal(t, map[string]string{"short@1": good}, configs[0].Prompts)
	assert.Empty(t, configs[1].Prompts)

	fsys["acme/prompts/short@2.md"] = &fstest.MapFile{Data: []byte("From <{{fence}}>.\n---\n{{sources}}\n{{quetion}}{{question}}")}
	fsys["acme/prompts/grounded@1.md"] = &fstest.MapFile{Data: []byte(good)}
	fsys["acme/prompts/notes.txt"] = &fstest.MapFile{Data: []byte("x")}
	fsys["globex/tenant.config.json"] = &fstest.MapFile{Data: []byte(`{"id": "globex", "name": "Globex", "answers": {"prompt": "short@1", "threshold": 100, "unsupported": "drp"}}`)}
	_, problems = Load(fsys, Rules{})
	var got []string
	for _, p := range problems {
		got = append(got, p.String())
	}
	assert.Equal(t, []string{
		`acme/prompts/grounded@1.md: grounded@1 is the platform's own (give it a name or a version of its own)`,
		`acme/prompts/notes.txt: is not a prompt (such as prompts/grounded@2.md)`,
		`acme/prompts/short@2.md:4:1: {{quetion}} is not a slot (did you mean "question"?)`,
		`globex/tenant.config.json: answers.prompt: there is no prompt "short@1" (a file beside the configuration: prompts/short@1.md)`,
		`globex/tenant.config.json: answers.threshold: 100 is not between 1 and 99`,
		`globex/tenant.config.json: answers.unsupported: "drp" is neither mark nor drop (did you mean "drop"?)`,
	}, got)
}
