package tenants_test

import (
	"bytes"
	"context"
	"fmt"

	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// The way of a request: the host names the tenant, the key is looked up by its hash, and only then is there a scope.
func Example() {
	config, err := tenants.Parse([]byte(`{"id":"acme","name":"Acme","allowedHosts":["acme.example.com"]}`))
	if err != nil {
		panic(err)
	}
	key, err := tenants.NewKey(bytes.NewReader(make([]byte, 32)), "acme") // crypto/rand.Reader, but in an example
	if err != nil {
		panic(err)
	}
	directory, err := tenants.StaticDirectory([]tenants.Config{*config}, tenants.Keys{"acme": key}.Grants("example"))
	if err != nil {
		panic(err)
	}

	ctx := context.Background()
	id, err := directory.Host(ctx, "acme.example.com")
	if err != nil {
		panic(err)
	}
	grant, err := directory.Key(ctx, tenants.HashKey(key))
	if err != nil || grant.Tenant != id || !grant.Allows(tenants.ScopeSearch) {
		panic("denied")
	}
	config, err = directory.Config(ctx, id)
	if err != nil {
		panic(err)
	}
	scope, err := tenants.Admit(config)
	if err != nil {
		panic(err)
	}
	fmt.Println(scope.Key("corpus", "../guide.md"))

	_, err = directory.Host(ctx, "globex.example.com")
	fmt.Println(fault.As(err).Code)
	// Output:
	// t/acme/corpus/..%2Fguide.md
	// tenant_not_found
}
