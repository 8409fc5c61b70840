package localvec_test

import (
	"fmt"
	"io"
	"net/http/httptest"
	"os"

	"levada.dev/infra/dev/localvec"
)

func ExampleOpen() {
	dir, err := os.MkdirTemp("", "localvec")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	store, err := localvec.Open(dir, localvec.Options{Indexes: map[string]localvec.Index{
		"chunks": {Dimensions: 1024, Properties: map[string]localvec.Kind{"document": localvec.String}},
	}})
	if err != nil {
		panic(err)
	}
	defer store.Close()

	// Serve it beside workerd, where the Vectorize entrypoint finds it.
	server := httptest.NewServer(store)
	defer server.Close()
	response, err := server.Client().Get(server.URL + "/indexes/chunks")
	if err != nil {
		panic(err)
	}
	defer response.Body.Close()
	info, err := io.ReadAll(response.Body)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s", info)
	// Output: {"vectorCount":0,"dimensions":1024}
}
