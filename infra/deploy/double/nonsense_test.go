package double_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy/double"
)

// Whatever is sent to whatever there is, the answer is in the envelope and no fault of the double's.
func TestNonsense(t *testing.T) {
	bodies := []any{
		nil, "", "null", "[]", "{}", "[null]", "[[]]", `"x"`, "5", "{", "\xff\xfe", `{"settings": null}`, `{"settings": {"delivery_delay": null}}`, `{"name": null}`,
		`{"secrets": null}`, `{"secrets": {"A": null}}`, `{"versions": [null]}`, `{"strategy": "percentage", "versions": [null]}`, `{"tags": null, "observability": null, "tail_consumers": [null]}`,
		`{"origins": [null]}`, `[{"key": null, "value": null}]`, `{"config": null}`, `{"spend_limits": {"rules": [null]}}`, `{"keys": [null]}`,
		upload{}, upload{metadata: "null"}, upload{metadata: "[]"}, upload{metadata: object{"bindings": []any{nil}, "main_module": "index.mjs"}, modules: []file{{"index.mjs", esModule, ""}}},
		upload{metadata: object{"main_module": "index.mjs", "migrations": object{"steps": []any{nil}, "new_tag": "x"}}, modules: []file{{"index.mjs", esModule, ""}}},
		upload{modules: []file{{"", "", ""}}},
	}
	ids := strings.NewReplacer("{account}", acme, "{zone}", acmeZone, "{script}", "api", "{version}", "{second}", "{namespace}", "{kv}", "{key}", "a%2F..%2Fb",
		"{index}", "bge-m3", "{gateway}", "levada", "{workflow}", "import", "{bucket}", "corpus", "{secret}", "KEY", "{deployment}", "none")
	for _, pattern := range double.Patterns() {
		method, path, _ := strings.Cut(pattern, " ")
		t.Run(strings.ReplaceAll(pattern, "/", "|"), func(t *testing.T) {
			p := newPool(t)
			before := len(p.api.Requests())
			for _, body := range bodies {
				if method == "GET" && body != nil {
					continue
				}
				got := p.as(acmeToken, method, p.named(ids.Replace(path)), body)
				assert.NotEqual(t, 500, got.status, "%v: %s", body, got.body)
				if got.status != 200 {
					require.Len(t, got.Errors, 1, "%s", got.body)
					assert.NotEmpty(t, got.Errors[0].Message)
				}
				p.acme("GET", "/queues", nil).ok()
			}
			assert.Greater(t, len(p.api.Requests()), before)
		})
	}
}
