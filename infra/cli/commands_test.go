package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// commands are those that levada commands --json lists, by name.
func commands(t *testing.T) map[string]Command {
	t.Helper()
	code, stdout, stderr := levada(t, "commands", "--json")
	require.Equal(t, exitOK, code, stderr)
	var all []Command
	require.NoError(t, json.Unmarshal([]byte(stdout), &all))
	byName := map[string]Command{}
	for _, c := range all {
		byName[c.Name] = c
	}
	assert.Len(t, byName, len(all))
	return byName
}

func TestCommandsSayWhatTheHelpSays(t *testing.T) {
	all := commands(t)
	assert.Contains(t, all, "dev")
	assert.Contains(t, all, "commands")
	assert.NotContains(t, all, "help")
	for name, c := range all {
		t.Run(name, func(t *testing.T) {
			code, help, stderr := levada(t, append(strings.Fields(name), "--help")...)
			require.Equal(t, exitOK, code, stderr)
			assert.Contains(t, help, c.Use)
			described := strings.Count(help, "\n      --") + strings.Count(help, "\n  -")
			assert.Equal(t, described, len(c.Flags)+1, "flags, and --help: %s", help)
			for _, f := range c.Flags {
				assert.Contains(t, help, "--"+f.Name)
				assert.NotEmpty(t, f.Usage)
			}
		})
	}
}

func TestCommandsTellFlagsByTypeAndDefault(t *testing.T) {
	flags := map[string]Flag{}
	for _, f := range commands(t)["dev"].Flags {
		flags[f.Name] = f
	}
	assert.Equal(t, Flag{Name: "port", Type: "int", Default: "8787", Usage: "port on 127.0.0.1; 0 for a free one"}, flags["port"])
	assert.Equal(t, "bool", flags["watch"].Type)
	assert.Equal(t, "true", flags["watch"].Default)
	assert.True(t, flags["root"].Global)
	assert.NotContains(t, flags, "help")
	required := 0
	for _, f := range commands(t)["new binding"].Flags {
		if f.Required {
			required++
			code, _, stderr := levada(t, "new", "binding", "REPORTS")
			assert.Equal(t, exitUsage, code)
			assert.Contains(t, stderr, f.Name)
		}
	}
	assert.Equal(t, 2, required, "worker, kind")
}

func TestCommandsForPeople(t *testing.T) {
	code, stdout, stderr := levada(t, "commands")
	require.Equal(t, exitOK, code, stderr)
	assert.Contains(t, stdout, "levada validate [flags]")
	assert.NotContains(t, stdout, "--port")
}
