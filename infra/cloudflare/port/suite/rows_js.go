package main

import (
	"context"
	"fmt"
	"strconv"
	"testing"

	"levada.dev/infra/cloudflare/object"
	"levada.dev/infra/cloudflare/objects"
	"levada.dev/tenants/rows"
	"levada.dev/tenants/rows/rowstest"
)

// inObject is the suites that run inside of a Durable Object, as what they test works nowhere else, by name.
var inObject = map[string]func(t *testing.T, ctx context.Context, st *object.State){
	"TestRows": func(t *testing.T, ctx context.Context, st *object.State) {
		rowstest.TestTx(t, func(*testing.T) rowstest.Store {
			return func(f func(tx rows.Tx) error) error {
				return st.SQL().Txn(ctx, func(tx *object.Tx) error { return f(objects.Rows(tx)) })
			}
		})
	},
}

// registerSuites registers the class Suite, whose objects run them.
func registerSuites() {
	object.Register("Suite", func(ctx context.Context, st *object.State) (object.Object, error) {
		return runner{st}, objects.MakeRows(ctx, st)
	})
}

type runner struct{ state *object.State }

// Call implements object.Object: it runs the suite of that name.
func (r runner) Call(ctx context.Context, name string, _ []byte) ([]byte, error) {
	suite, ok := inObject[name]
	if !ok {
		return nil, fmt.Errorf("no suite %q", name)
	}
	return strconv.AppendBool(nil, run(name, func(t *testing.T) { suite(t, ctx, r.state) })), nil
}
