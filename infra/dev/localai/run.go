package localai

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// maxRequest is the largest request read.
const maxRequest = 10 << 20

// headSize is how much of a request and of its answer the log keeps.
const headSize = 1 << 10

// answer is a call's result: a whole body, of JSON where it says no other type, or a stream.
type answer struct {
	body   []byte
	media  string
	stream *stream
	usage  usage
}

// call is one request for a model on its way to an answer and a line in the log.
type call struct {
	server  *Server
	model   string
	inputs  json.RawMessage
	gateway *gatewayOptions // nil where the call passes none
	log     Log
	started time.Time
}

// run serves one call, and logs it whatever happens to it.
func (s *Server) run(w http.ResponseWriter, r *http.Request) {
	c := &call{server: s, model: r.Header.Get("cf-consn-model-id"), started: s.options.Now()}
	c.log = Log{ID: newID(), CreatedAt: c.started, Provider: "workers-ai", Model: c.model, Path: "run"}
	w.Header().Set("cf-ai-req-id", newID())
	options, err := c.read(w, r)
	if err != nil {
		c.fail(w, err)
		return
	}
	if f := s.troubles.of(c, true); f != nil {
		f.write(w)
		return
	}
	if c.gateway != nil {
		w.Header().Set("cf-aig-log-id", c.log.ID)
		w.Header().Set("cf-aig-step", "0")
	}
	a, err := c.answer(w.Header(), r.Context(), options.RejectIfBusy)
	if err != nil {
		c.fail(w, err)
		return
	}
	if a.stream != nil {
		c.stream(w, r, a)
		return
	}
	media := cmp.Or(a.media, "application/json")
	if c.log.ResponseSize = len(a.body); a.media == "" {
		c.log.ResponseHead = head(a.body)
	}
	if err := c.record(http.StatusOK, media, a.usage); err != nil {
		c.fail(w, err)
		return
	}
	w.Header().Set("Content-Type", media)
	w.Write(a.body)
}

// options are those of the binding's run that matter here; others are accepted.
type options struct {
	Gateway      json.RawMessage `json:"gateway"`
	RejectIfBusy bool            `json:"rejectIfBusy"`
	QueueRequest bool            `json:"queueRequest"`
}

func (c *call) read(w http.ResponseWriter, r *http.Request) (options, error) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return options{}, tooLarge(large.Limit)
	}
	if err != nil {
		return options{}, incomplete(err.Error())
	}
	c.log.RequestSize, c.log.RequestHead = len(raw), head(raw)
	var envelope struct {
		Inputs  json.RawMessage `json:"inputs"`
		Options options         `json:"options"`
	}
	if err := json.Unmarshal(raw, &envelope); err != nil {
		return options{}, incomplete("the body is not JSON with inputs and options")
	}
	c.inputs = envelope.Inputs
	// The gateway comes first: a call it would log must be logged as its own even
	// where the model then refuses it.
	if g := envelope.Options.Gateway; len(g) > 0 && string(g) != "null" {
		if c.gateway, err = readGateway(g); err != nil {
			return options{}, err
		}
		c.log.Metadata, c.log.EventID = c.gateway.Metadata, c.gateway.EventID
	}
	if len(c.inputs) == 0 || string(c.inputs) == "null" {
		return options{}, incomplete("inputs are missing")
	}
	if envelope.Options.QueueRequest {
		return options{}, refuse(3030, http.StatusBadRequest, "queueRequest: asynchronous batches do not exist locally")
	}
	return envelope.Options, nil
}

// answer runs the model, through the gateway's cache, timeout and retries.
func (c *call) answer(h http.Header, ctx context.Context, reject bool) (*answer, error) {
	g := c.gateway
	if g == nil {
		return c.attempt(ctx, reject)
	}
	key := g.key(c.model, c.inputs)
	if g.caches() {
		if a := c.server.cache.get(key, c.server.options.Now()); a != nil {
			h.Set("cf-aig-cache-status", "HIT")
			c.log.Cached = true
			return &answer{body: a.body, media: a.media}, nil
		}
		h.Set("cf-aig-cache-status", "MISS")
	} else {
		h.Set("cf-aig-cache-status", "BYPASS")
	}
	for {
		a, err := c.attemptInTime(ctx, reject)
		if err != nil && asFault(err).retryable() && c.log.Step+1 < g.Retries.MaxAttempts {
			c.log.Step++
			if err := pause(ctx, g.wait(c.log.Step)); err != nil {
				return nil, err
			}
			continue
		}
		if err == nil && g.caches() && a.stream == nil {
			c.server.cache.put(key, a, c.server.options.Now().Add(g.ttl()))
		}
		return a, err
	}
}

// attemptInTime bounds the time until the answer, of a stream until its start.
func (c *call) attemptInTime(ctx context.Context, reject bool) (*answer, error) {
	if c.gateway.RequestTimeoutMs == 0 {
		return c.attempt(ctx, reject)
	}
	timed, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(time.Duration(c.gateway.RequestTimeoutMs)*time.Millisecond, func() { cancel(timedOut()) })
	a, err := c.attempt(timed, reject)
	if !timer.Stop() && err != nil && ctx.Err() == nil {
		return nil, timedOut()
	}
	return a, err
}

// attempt takes a slot and runs the model once. A stream keeps its slot until its
// first piece.
func (c *call) attempt(ctx context.Context, reject bool) (*answer, error) {
	if !strings.HasPrefix(c.model, "@") {
		return nil, refuse(3042, http.StatusNotFound, "Invalid model id %q", c.model)
	}
	m, known := lookup(c.model)
	if !known {
		return nil, noSuchModel(c.model)
	}
	c.log.ModelType = modelTypes[m.kind]
	if f := c.server.troubles.of(c, false); f != nil {
		return nil, f
	}
	select {
	case c.server.slots <- struct{}{}:
	default:
		if reject {
			return nil, busy()
		}
		select {
		case c.server.slots <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	defer func() { <-c.server.slots }()
	if m.kind == embedding || m.kind == lexicalEmbedding {
		return c.server.embed(ctx, m, c.inputs)
	}
	if m.kind == reranking {
		return c.server.rerank(m, c.inputs)
	}
	if m.kind == speaking {
		return c.server.speak(ctx, m, c.inputs)
	}
	return c.server.generate(ctx, m, c.inputs)
}

var modelTypes = map[kind]string{
	embedding: "embeddings", lexicalEmbedding: "embeddings", reranking: "rerank", generation: "chat", scripted: "chat", guarding: "chat",
	speaking: "text-to-speech",
}

// stream sends an answer's events as they come. One that breaks off ends the
// connection without its closing events, and is logged as failed with what it used.
func (c *call) stream(w http.ResponseWriter, r *http.Request, a *answer) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache")
	control := http.NewResponseController(w)
	var sent []byte
	u, err := a.stream.write(func(event []byte) error {
		if len(sent) < headSize {
			sent = append(sent, event...)
		}
		c.log.ResponseSize += len(event)
		if _, err := w.Write(event); err != nil {
			return err
		}
		return control.Flush()
	})
	c.log.ResponseHead = head(sent)
	status := http.StatusOK
	switch {
	case r.Context().Err() != nil:
		status = clientClosed
	case err != nil:
		status = http.StatusBadGateway
	}
	if logged := c.record(status, "text/event-stream", u); err != nil || logged != nil {
		panic(http.ErrAbortHandler)
	}
}

// clientClosed is the status logged for a call whose caller left.
const clientClosed = 499

func (c *call) fail(w http.ResponseWriter, err error) {
	f := asFault(err)
	status := f.status
	if errors.Is(err, context.Canceled) {
		status = clientClosed
	}
	body := f.body()
	c.log.ResponseSize, c.log.ResponseHead = len(body), head(body)
	if err := c.record(status, "application/json", usage{}); err != nil {
		status, body = http.StatusInternalServerError, asFault(err).body()
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(body)
}

// record writes the call to its gateway's log, or to the ungated list.
func (c *call) record(status int, contentType string, u usage) error {
	m, _ := lookup(c.model)
	c.log.Duration = c.server.options.Now().Sub(c.started).Milliseconds()
	c.log.StatusCode, c.log.Success = status, status < 400
	c.log.ContentType = contentType
	c.log.TokensIn, c.log.TokensOut, c.log.Cost = u.in, u.out, m.cost(u)
	if c.gateway == nil {
		return c.server.journal.write(line{Log: &c.log})
	}
	if keep := c.gateway.CollectLog; keep != nil && !*keep {
		return nil
	}
	return c.server.journal.write(line{Gateway: c.gateway.ID, Log: &c.log})
}

func head(b []byte) string { return string(b[:min(len(b), headSize)]) }
