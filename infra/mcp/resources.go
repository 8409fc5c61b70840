package mcp

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"levada.dev/infra/mcp/line"
)

// documentURI is what the URI of a document begins with; its id follows, escaped.
const documentURI = "levada://documents/"

// What is told of documents at a time.
const (
	pageSize     = 100
	maxRead      = 4 << 20 // bytes of a document that are answered: the answer is in memory several times
	deletedState = "deleted"
)

// document is one as GET /documents has it.
type document struct {
	ID          string    `json:"docId"`
	Title       string    `json:"title"`
	Source      string    `json:"source"`
	URL         string    `json:"url"`
	ContentType string    `json:"contentType"`
	State       string    `json:"state"`
	Bytes       int64     `json:"bytes"`
	UpdatedAt   time.Time `json:"updatedAt"`
}

// listResources is a page of the tenant's documents, with the API's cursor.
func (t *tenant) listResources(p *mcp.ListResourcesParams) (*mcp.ListResourcesResult, error) {
	query := url.Values{"limit": {fmt.Sprint(pageSize)}}
	if p != nil && p.Cursor != "" {
		query.Set("cursor", p.Cursor)
	}
	var page struct {
		Documents []document `json:"documents"`
		Next      string     `json:"next"`
	}
	if err := unless(t.get("/documents?"+query.Encode(), &page), scopeDenied); err != nil {
		return nil, err
	}
	result := &mcp.ListResourcesResult{Resources: []*mcp.Resource{}, NextCursor: page.Next, Cacheable: private}
	for _, d := range page.Documents {
		if d.State != deletedState {
			result.Resources = append(result.Resources, d.resource())
		}
	}
	return result, nil
}

func (d document) resource() *mcp.Resource {
	from := d.Source
	if d.URL != "" {
		from = d.URL
	}
	return &mcp.Resource{
		URI: documentURI + url.PathEscape(d.ID), Name: d.ID, Title: d.Title, Description: from, MIMEType: d.ContentType, Size: d.Bytes,
		Annotations: &mcp.Annotations{LastModified: d.UpdatedAt.UTC().Format(time.RFC3339)},
	}
}

// templates is how the URI of a document is made.
func templates() *mcp.ListResourceTemplatesResult {
	return &mcp.ListResourceTemplatesResult{Cacheable: private, ResourceTemplates: []*mcp.ResourceTemplate{{
		URITemplate: documentURI + "{id}", Name: "document", Title: "A document by its id", Description: "The text of one of the tenant's documents.",
	}}}
}

// readResource is the text of a document; where none was taken out of it, its bytes.
func (t *tenant) readResource(uri string) (*mcp.ReadResourceResult, error) {
	id, ok := strings.CutPrefix(uri, documentURI)
	if id, err := url.PathUnescape(id); ok && err == nil && id != "" {
		contents, err := t.content(id, "")
		var no *refusal
		if errors.As(err, &no) && no.Code == "text_not_found" && no.Hint != "" {
			contents, err = t.content(id, "?original=true")
		}
		switch {
		case err == nil:
			contents.URI = uri
			result := complete[mcp.ReadResourceResult](t)
			result.Contents, result.Cacheable = []*mcp.ResourceContents{contents}, private
			return result, nil
		case !errors.As(err, &no) || no.Status != http.StatusNotFound:
			return nil, err
		}
	}
	return nil, t.noResource(uri)
}

// noResource is -32602 since revision 2026-07-28; before it was a code of its own.
func (t *tenant) noResource(uri string) error {
	data, err := json.Marshal(map[string]string{"uri": uri})
	if err != nil {
		return err
	}
	code := int64(jsonrpc.CodeInvalidParams)
	if !t.stateless {
		code = -32002
	}
	return &jsonrpc.Error{Code: code, Message: "Resource not found", Data: data}
}

func (t *tenant) content(id, query string) (*mcp.ResourceContents, error) {
	target := "/documents/" + url.PathEscape(id) + "/content"
	resp, err := t.ask(line.Question{Method: http.MethodGet, Target: target + query})
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, refused(resp)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxRead+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxRead {
		return nil, &jsonrpc.Error{Code: codeServer, Message: fmt.Sprintf("the document has more than the %d bytes that a resource may have: GET %s has it", maxRead, target)}
	}
	c := &mcp.ResourceContents{MIMEType: resp.Header.Get("Content-Type")}
	if strings.HasPrefix(c.MIMEType, "text/") && query == "" {
		c.Text = string(b)
	} else {
		c.Blob = b
	}
	return c, nil
}
