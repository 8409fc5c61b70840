package target_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/infra/deploy/target"
	"levada.dev/tenants"
)

var (
	hashA = tenants.HashKey("a")
	hashB = tenants.HashKey("b")
	hashC = tenants.HashKey("c")
)

func withKeys(acme, globex string) fstest.MapFS {
	fsys := folder(good)
	fsys["acme/keys.json"] = &fstest.MapFile{Data: []byte(acme)}
	fsys["globex/keys.json"] = &fstest.MapFile{Data: []byte(globex)}
	return fsys
}

func TestGrantsOfAnEnvironment(t *testing.T) {
	fsys := withKeys(`[
  {"name": "ci", "env": "prod", "hash": "`+hashA+`", "scopes": ["search", "chat"]}, // of the website
  {"name": "ci", "env": "stage", "hash": "`+hashB+`", "scopes": ["admin"]},
]`, `[{"name": "app", "env": "prod", "hash": "`+hashC+`", "scopes": ["ingest"]}]`)
	in, problems := target.Load(fsys, target.Prod)
	require.Empty(t, problems)
	grants, problems := target.Grants(fsys, target.Prod, in.Tenants)
	require.Empty(t, problems)
	assert.Equal(t, map[string]tenants.Grant{
		hashA: {Tenant: "acme", Name: "ci", Scopes: []tenants.APIScope{"search", "chat"}},
		hashC: {Tenant: "globex", Name: "app", Scopes: []tenants.APIScope{"ingest"}},
	}, grants)
	shared, _ := in.Pool("shared")
	grants, problems = target.Grants(fsys, target.Prod, shared.Tenants)
	require.Empty(t, problems)
	assert.Len(t, grants, 1, "a pool has the keys of its own tenants")
	_, err := tenants.Publish(shared.Tenants, grants, nil)
	require.NoError(t, err)
	keys, problems := target.Keys(fsys, "initech")
	assert.Equal(t, []int{0, 0}, []int{len(keys), len(problems)}, "none is none")
}

func TestProblemsOfKeys(t *testing.T) {
	key := func(more string) string { return `[{"name": "ci", "env": "prod", ` + more + `}]` }
	for name, test := range map[string]struct {
		text string
		want []string
	}{
		"no hash":         {key(`"scopes": ["chat"]`), []string{"[0].hash: is required (levada key new writes it)"}},
		"not a hash":      {key(`"hash": "abc", "scopes": ["chat"]`), []string{"[0].hash: is not the SHA-256 of a key: 64 hexadecimal digits in small letters (levada key new writes it)"}},
		"no rights":       {key(`"hash": "` + hashA + `"`), []string{`[0].scopes: is required: a key without rights opens nothing (such as ["chat", "search"])`}},
		"unknown rights":  {key(`"hash": "` + hashA + `", "scopes": ["chta", "chat", "chat"]`), []string{`[0].scopes[0]: no right is called "chta" (did you mean "chat"?)`, `[0].scopes[2]: "chat" appears twice`}},
		"no such tenant":  {key(`"hash": "` + hashA + `", "scopes": ["chat"], "also": ["globx", "acme", "globex", "globex"]`), []string{`[0].also[0]: "globx" is not a tenant of this environment (did you mean "globex"?)`, `[0].also[1]: is the key's own tenant (leave it out)`, `[0].also[3]: "globex" appears twice`}},
		"unknown field":   {key(`"hash": "` + hashA + `", "scope": [], "scopes": ["chat"]`), []string{`[0].scope: is not a known field (did you mean "scopes"?)`}},
		"no name, no env": {`[{"hash": "` + hashA + `", "scopes": ["chat"]}]`, []string{"[0].env: is required (one of dev, stage, prod)", "[0].name: is required (for people, such as ci)"}},
		"bad name": {strings.Replace(key(`"hash": "`+hashA+`", "scopes": ["chat"]`), `"ci"`, `"-ci"`, 1), []string{
			`[0].name: "-ci" is not the name of a key (letters, digits, spaces and . _ -, a letter or digit first and last, 64 at most)`}},
		"bad env": {strings.Replace(key(`"hash": "`+hashA+`", "scopes": ["chat"]`), `"prod"`, `"prd"`, 1), []string{`[0].env: "prd" is not an environment (did you mean "prod"?)`}},
		"a name twice": {`[{"name": "ci", "env": "prod", "hash": "` + hashA + `", "scopes": ["chat"]}, {"name": "ci", "env": "dev", "hash": "` + hashB + `", "scopes": ["chat"]}, {"name": "ci", "env": "prod", "hash": "` + hashC + `", "scopes": ["chat"]}]`,
			[]string{`[2].name: "ci" appears twice in prod (revoke one of them, or call it otherwise)`}},
		"a key twice": {`[{"name": "ci", "env": "prod", "hash": "` + hashA + `", "scopes": ["chat"]}, {"name": "cd", "env": "dev", "hash": "` + hashA + `", "scopes": ["chat"]}]`,
			[]string{"[1].hash: is also in acme/keys.json (a key is in one place: make another with levada key new)"}},
		"no list": {`{"ci": "` + hashA + `"}`, []string{"must be an array, not an object"}},
	} {
		t.Run(name, func(t *testing.T) {
			lines := problemsOf(t, withKeys(test.text, `[]`), target.Dev)
			var got []string
			for _, line := range lines {
				file, line, _ := strings.Cut(line, ": ")
				assert.Contains(t, file, "acme/keys.json:1:")
				got = append(got, line)
			}
			assert.ElementsMatch(t, test.want, got)
		})
	}
	one := `[{"name": "ci", "env": "prod", "hash": "` + hashA + `", "scopes": ["chat"]}]`
	assert.Equal(t, []string{"globex/keys.json:1:32: [0].hash: is also in acme/keys.json (a key is in one place: make another with levada key new)"},
		problemsOf(t, withKeys(one, one), target.Prod), "two tenants cannot have one key")
}

func TestAKeyInClearIsRefusedAndNotShown(t *testing.T) {
	key, err := tenants.NewKey(strings.NewReader(strings.Repeat("k", 32)), "acme")
	require.NoError(t, err)
	for _, text := range []string{`[{"name": "ci", "env": "prod", "hash": "` + key + `", "scopes": ["chat"]}]`, `["` + key + `"]`, `{"` + key + `": 5}`} {
		lines := problemsOf(t, withKeys(text, `[]`), target.Dev)
		require.Len(t, lines, 1)
		assert.Contains(t, lines[0], "looks like a secret, which is not shown")
		assert.NotContains(t, lines[0], key[10:20])
		_, err := target.AddKey([]byte(text), target.Key{Name: "x", Env: "prod", Hash: hashA, Scopes: tenants.AllScopes})
		require.Error(t, err)
		assert.NotContains(t, err.Error(), key[10:20])
	}
}

func TestKeysAreAddedAndRemovedAndTheRestStays(t *testing.T) {
	ci := target.Key{Name: "ci", Env: "prod", Hash: hashA, Scopes: []tenants.APIScope{"chat", "search"}}
	lineA := `{"name": "ci", "env": "prod", "hash": "` + hashA + `", "scopes": ["chat", "search"]}`
	lineB := `{"name": "app", "env": "prod", "hash": "` + hashB + `", "scopes": ["chat"]}`
	lineC := `{"name": "app", "env": "dev", "hash": "` + hashC + `", "scopes": ["chat"]}`
	for name, test := range map[string]struct{ without, with string }{
		"alone":       {"", "[\n  " + lineA + "\n]\n"},
		"last":        {"// ours\n[\n  " + lineB + ", // of the app\n  " + lineC + " // too\n]\n", "// ours\n[\n  " + lineB + ", // of the app\n  " + lineC + ", // too\n  " + lineA + "\n]\n"},
		"with commas": {"[\n    " + lineB + ",\n]", "[\n    " + lineB + ",\n    " + lineA + ",\n]"},
		"in one line": {"[" + lineB + "]", "[" + lineB + ",\n  " + lineA + "\n]"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := target.AddKey([]byte(test.without), ci)
			require.NoError(t, err)
			assert.Equal(t, test.with, string(got))
			_, err = target.AddKey(got, ci)
			assert.Equal(t, "key_exists", fault.As(err).Code)
			back, err := target.RemoveKey(got, "prod", "ci")
			require.NoError(t, err)
			if name == "last" || name == "with commas" {
				assert.Equal(t, test.without, string(back))
			}
			assert.NotContains(t, string(back), hashA)
			_, err = target.RemoveKey(back, "prod", "ci")
			assert.Equal(t, "key_not_found", fault.As(err).Code)
		})
	}
	three := "[\n  " + lineA + ", // first\n  // second\n  " + lineB + ", // 2nd\n  // third\n  " + lineC + " // 3rd\n]\n"
	got, err := target.RemoveKey([]byte(three), "prod", "app")
	require.NoError(t, err)
	assert.Equal(t, "[\n  "+lineA+", // first\n  // third\n  "+lineC+" // 3rd\n]\n", string(got))
	_, err = target.RemoveKey([]byte(three), "prod", "cii")
	assert.Equal(t, []string{"key_not_found", `did you mean "ci"?`}, []string{fault.As(err).Code, fault.As(err).Hint})
	_, err = target.AddKey([]byte("[]"), target.Key{Name: "ci", Env: "prod", Hash: hashA, Scopes: []tenants.APIScope{"chta"}})
	assert.Equal(t, "config_invalid", fault.As(err).Code)
}
