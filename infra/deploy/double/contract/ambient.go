package contract

import (
	"net/http"
	"os"
	"sync"
)

// Env names the variable that names the document.
const Env = "CF_OPENAPI"

// Root is below what the API is on its host.
const Root = "/client/v4"

// ambient reads the document once: it takes seconds.
var ambient = sync.OnceValues(func() (*Contract, error) { return read(os.Getenv(Env)) })

// read is the contract of a file; nil of none.
func read(path string) (*Contract, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return New(text, Root)
}

// Test is what of testing.TB is needed.
type Test interface {
	Helper()
	Cleanup(func())
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Held holds a handler to the document that the environment names, for as long as a test takes; without one it is the handler itself.
func Held(t Test, h http.Handler) http.Handler {
	t.Helper()
	c, err := ambient()
	if err != nil {
		t.Fatalf("%s: %v", Env, err)
	}
	if c == nil {
		return h
	}
	before, _, _ := c.Found()
	t.Cleanup(func() {
		faults, _, _ := c.Found()
		for _, f := range faults[len(before):] {
			t.Errorf("not as %s says: %s", Env, f)
		}
	})
	return c.Hold(h)
}
