package validate_test

import (
	"fmt"
	"testing/fstest"

	"levada.dev/tenants/validate"
)

func ExampleLoad() {
	folder := fstest.MapFS{"acme/tenant.config.json": {Data: []byte(`{"id": "acme", "name": "Acme", "limits": {"bodybytes": 5}}`)}}
	_, problems := validate.Load(folder, validate.Rules{Env: "dev", Models: []string{"@cf/baai/bge-small-en-v1.5"}})
	for _, p := range problems {
		fmt.Println(p)
	}
	// Output:
	// acme/tenant.config.json: limits.bodybytes: is not a known field (did you mean "bodyBytes"?)
	// acme/tenant.config.json: models.embedding: there is no embedding model "@cf/baai/bge-m3" (one of @cf/baai/bge-small-en-v1.5)
}
