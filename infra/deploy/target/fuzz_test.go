package target_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy/target"
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
