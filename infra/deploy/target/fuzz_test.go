package target_test

import (
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy/target"
	"levada.dev/tenants"
)

// Whatever is written, there are targets or problems, and every problem has its place in the file.
func FuzzLoad(f *testing.F) {
	shipped, err := os.ReadFile("../../../tenants/" + target.File)
	require.NoError(f, err)
	for _, text := range []string{string(shipped), good, in(account + tok + rest), "{", "[]", `{"environments": {"prod": {"pools": {"a.b[0]": {"routes": [{}]}}}}}`, "//", `{"":{"":[{}]}}`, "\xff"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, env := range target.Environments {
			in, problems := target.Load(folder(text), env)
			for _, p := range problems {
				if p.File == target.File && (p.Line < 1 || p.Column < 1) {
					t.Fatalf("no place: %v", p)
				}
			}
			if len(problems) > 0 {
				continue
			}
			for _, one := range in.Targets {
				if one.Token.String() == "" || len(one.Tenants) == 0 || len(one.Account) != 32 {
					t.Fatalf("not fit for use: %+v", one)
				}
			}
		}
	})
}

// Whatever is edited, the result is read again, has what was added, and the same edit changes it no more.
func FuzzEdits(f *testing.F) {
	for _, text := range []string{good, "", "{", `{"environments": {"prod": {"pools": {}}}}`, "[\n]", `[{"name":"a","env":"dev","hash":"` + hashA + `","scopes":["chat"],},/**/]`, `{"id":"aa","name":"A","sources":[{"id":"cms","webhook":{"secrets":["cms-1"]}}]}`} {
		f.Add(text)
	}
	entry := target.Entry{Account: "44444444444444444444444444444444", Token: "env:FUZZ", WorkersDev: true}
	key := target.Key{Name: "fuzz", Env: target.Prod, Hash: hashC, Scopes: []tenants.APIScope{tenants.ScopeChat}}
	f.Fuzz(func(t *testing.T, text string) {
		if out, err := target.AddPool([]byte(text), target.Prod, "fuzzed", entry); err == nil {
			again, err := target.AddPool(out, target.Prod, "fuzzed", entry)
			if err != nil || string(again) != string(out) {
				t.Fatalf("%q became %q, and then %q: %v", text, out, again, err)
			}
		}
		if out, err := target.AddKey([]byte(text), key); err == nil {
			back, err := target.RemoveKey(out, key.Env, key.Name)
			if err != nil {
				t.Fatalf("%q became %q: %v", text, out, err)
			}
			if _, err := target.AddKey(back, key); err != nil {
				t.Fatalf("%q became %q and %q: %v", text, out, back, err)
			}
		}
		if out, name, err := target.AddSecret([]byte(text), "cms"); err == nil {
			c, err := tenants.Parse(out)
			if err != nil || !slices.Contains(c.Secrets(), tenants.NamedSecret{Name: name, Kind: tenants.SourceSecret}) {
				t.Fatalf("%q became %q: %v", text, out, err)
			}
		}
	})
}
