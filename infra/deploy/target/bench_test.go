package target_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"levada.dev/infra/deploy/target"
)

// A hundred tenants, each with a pool and an account of its own in every environment.
func BenchmarkLoadOfAHundred(b *testing.B) {
	fsys, pools := fstest.MapFS{}, []string{}
	for i := range 100 {
		id := fmt.Sprintf("t%02d", i)
		fsys[id+"/tenant.config.json"] = &fstest.MapFile{Data: []byte(`{"id":"` + id + `","name":"T","allowedHosts":["` + id + `.example.com"]}`)}
		fsys[id+"/keys.json"] = &fstest.MapFile{Data: []byte("[]")}
		pools = append(pools, fmt.Sprintf(`"%s": {"account": "%032x", "token": "env:CF_%[1]s", "workersDev": true, "domains": ["ENV%[1]s.example.com"]}`, id, i))
	}
	all := `{"pools": {` + strings.Join(pools, ",\n") + "}}"
	of := func(prefix string) string { return strings.ReplaceAll(all, "ENV", prefix) }
	fsys[target.File] = &fstest.MapFile{Data: []byte(`{"environments": {"prod": ` + of("") + `, "stage": ` + of("stage.") + `, "dev": ` + of("dev.") + `}}`)}
	for b.Loop() {
		in, problems := target.Load(fsys, target.Prod)
		if len(problems) > 0 || len(in.Targets) != 100 {
			b.Fatal(problems, len(in.Targets))
		}
	}
}
