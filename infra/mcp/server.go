package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"levada.dev/infra/mcp/line"
)

// VersionHeader is how the API says which version of the platform it is.
const VersionHeader = "Levada-Version"

// Handler is the Worker.
func Handler() http.Handler { return line.Handler(serve) }

// instructions are what a model is told of the server.
const instructions = "Tools are those that the tenant has enabled and the key may call. Resources are the tenant's documents, as text."

func serve(w http.ResponseWriter, r *http.Request, ask line.Ask) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "the body ended early", http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	version := r.Header.Get(VersionHeader)
	if version == "" {
		version = "dev"
	}
	server := mcp.NewServer(&mcp.Implementation{Name: "levada", Title: "Levada", Version: version}, &mcp.ServerOptions{
		Instructions: instructions,
		Capabilities: &mcp.ServerCapabilities{Tools: &mcp.ToolCapabilities{}, Resources: &mcp.ResourceCapabilities{}, Prompts: &mcp.PromptCapabilities{}},
		SetCacheable: func(_ context.Context, _ mcp.Request, c *mcp.Cacheable) { *c = private },
		Logger:       slog.New(slog.DiscardHandler),
	})
	server.AddReceivingMiddleware((&tenant{ask, r.Header.Get("Mcp-Protocol-Version") >= stateless}).answer)
	mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, &mcp.StreamableHTTPOptions{
		Stateless:                    true,
		JSONResponse:                 !wantsProgress(body),
		PropagateRequestCancellation: true,
		MaxRequestBodyBytes:          -1,   // the API has bounded it
		DisableLocalhostProtection:   true, // likewise: it knows the tenant's hosts and origins
		Logger:                       slog.New(slog.DiscardHandler),
	}).ServeHTTP(w, r)
}

// private is how long answers may be kept, and by whom: they are one key's, and an edited configuration is to be seen soon.
var private = mcp.Cacheable{TTLMs: 0, CacheScope: "private"}

// wantsProgress reports whether the message asks to be told how far it is, which takes a stream of events. Everything else is answered by one JSON.
func wantsProgress(body []byte) bool {
	var m struct {
		Params struct {
			Meta struct {
				Token json.RawMessage `json:"progressToken"`
			} `json:"_meta"`
		} `json:"params"`
	}
	return json.Unmarshal(body, &m) == nil && m.Params.Meta.Token != nil
}

// stateless is the first revision without sessions.
const stateless = "2026-07-28"

// tenant is what a client may see, as the API tells it.
type tenant struct {
	ask       line.Ask
	stateless bool // the client speaks a revision without sessions
}

// answer answers the methods that are about the tenant, and leaves those of the protocol itself to the SDK. The SDK's own lists are not used: they would
// have to be filled for each message, and page by cursors of their own.
func (t *tenant) answer(next mcp.MethodHandler) mcp.MethodHandler {
	return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
		switch p := req.GetParams().(type) {
		case *mcp.ListToolsParams:
			return reply(t.listTools())
		case *mcp.CallToolParamsRaw:
			session, _ := req.GetSession().(*mcp.ServerSession)
			return reply(t.callTool(ctx, session, p))
		case *mcp.ListResourcesParams:
			return reply(t.listResources(p))
		case *mcp.ListResourceTemplatesParams:
			return templates(), nil
		case *mcp.ReadResourceParams:
			return reply(t.readResource(p.URI))
		case *mcp.ListPromptsParams:
			return reply(t.listPrompts())
		case *mcp.GetPromptParams:
			return reply(t.getPrompt(p))
		case *mcp.SubscriptionsListenParams, *mcp.SubscribeParams, *mcp.UnsubscribeParams: // there would be nothing to tell: no list says that it changes
			return nil, &jsonrpc.Error{Code: jsonrpc.CodeMethodNotFound, Message: fmt.Sprintf("method not found: %q", method)}
		}
		return next(ctx, method, req)
	}
}

// reply makes the SDK's two results of ours: a nil pointer would not be a nil Result.
func reply[R mcp.Result](r R, err error) (mcp.Result, error) {
	if err != nil {
		return nil, protocolError(err)
	}
	return r, nil
}

// complete is a result that asks the client for nothing more. Since revision 2026-07-28 a result has to say so. The SDK says it of what its own handlers
// answer; of others it has to be read, for there is no other way in.
func complete[R any](t *tenant) *R {
	r := new(R)
	if t.stateless {
		_ = json.Unmarshal([]byte(`{"resultType":"complete"}`), r) // a constant
	}
	return r
}
