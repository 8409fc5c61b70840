// Command words is the benchmark's caller of a lexical index: it writes passages, and asks for some.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"levada.dev/infra/bench/zipf"
	"levada.dev/infra/cloudflare/isolate"
	"levada.dev/infra/cloudflare/object"
	"levada.dev/infra/cloudflare/port"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
)

func main() {
	scope, err := tenants.Resume("bench")
	if err != nil {
		panic(err)
	}
	index := port.NewLexicon(object.Open("LEXICON"), func(context.Context, tenants.Scope) (int, error) { return 1, nil })
	l := zipf.New()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /nothing", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") })
	mux.HandleFunc("POST /put", func(w http.ResponseWriter, r *http.Request) {
		ps := make([]corpus.Passage, number(r, "n"))
		for i := range ps {
			ps[i] = l.Passage(number(r, "from") + i)
		}
		answer(w, len(ps), index.Put(r.Context(), scope, ps))
	})
	mux.HandleFunc("POST /find", func(w http.ResponseWriter, r *http.Request) {
		q := l.Question(number(r, "question"), number(r, "topK"))
		if f := r.FormValue("filter"); f != "" {
			q.Filter = json.RawMessage(f)
		}
		found, err := index.Find(r.Context(), scope, q)
		if err != nil {
			answer(w, 0, err)
			return
		}
		for _, h := range found.Hits {
			fmt.Fprintln(w, zipf.Number(h.Passage.Metadata))
		}
	})
	isolate.HandleHTTP(mux)
	isolate.Run()
}

func number(r *http.Request, name string) int {
	n, err := strconv.Atoi(r.FormValue(name))
	if err != nil {
		return 0
	}
	return n
}

func answer(w http.ResponseWriter, n int, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	fmt.Fprint(w, n)
}
