package builtin

import (
	"context"
	"encoding/json"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/tools"
)

type ingestDocsInput struct {
	Content   string         `json:"content" jsonschema:"minLength=1" jsonschema_description:"The document, as plain text or Markdown. As long as the tenant's documents may be."`
	DocID     string         `json:"doc_id" jsonschema:"minLength=1,maxLength=256,pattern=^[A-Za-z0-9][A-Za-z0-9._~:/@+=\\x2c-]*$" jsonschema_description:"The document's id: letters, digits and . _ ~ : / @ + = , - and a letter or digit first. A document that has it already is replaced."`
	Source    string         `json:"source,omitempty" jsonschema:"maxLength=500" jsonschema_description:"Where the document is from."`
	Title     string         `json:"title,omitempty" jsonschema:"maxLength=500" jsonschema_description:"Its title."`
	ChunkSize int            `json:"chunk_size,omitempty" jsonschema:"minimum=100,maximum=10000" jsonschema_description:"About how many characters a chunk has, as far as the embedding model reads so many. Left out: the platform's default."`
	Metadata  map[string]any `json:"metadata,omitempty" jsonschema_description:"What searches can filter on: names with texts, numbers, booleans or lists of texts."`
}

type ingestDocsOutput struct {
	DocID          string `json:"doc_id" jsonschema_description:"The document's id."`
	JobID          string `json:"job_id" jsonschema_description:"The job that makes the document searchable: GET /jobs/{job_id} follows it."`
	ChunksIngested *int   `json:"chunks_ingested,omitempty" jsonschema:"minimum=0" jsonschema_description:"How many chunks are in the index. Absent while the job goes on."`
}

func ingestDocsTool(d Deps) tool {
	return define(tools.Tool{
		Name: "ingest_docs",
		Description: "Stores a document of the tenant's and has it made searchable, which takes a while: the job tells when it is. A call that is " +
			"repeated with its key stores it once.",
		Needs: []tenants.APIScope{tenants.ScopeIngest}, Cost: tools.Models, Effects: tools.Writes,
	}, d.ingestDocs)
}

func (d Deps) ingestDocs(ctx context.Context, c *tools.Call, in ingestDocsInput) (ingestDocsOutput, error) {
	body, err := in.document(c.Config)
	if err != nil {
		return ingestDocsOutput{}, err
	}
	draft, err := d.Draft(c.Config, body)
	if err != nil {
		return ingestDocsOutput{}, in.renamed(err)
	}
	draft.Cause = events.Cause{ID: c.Cause.ID, TraceParent: c.Cause.TraceParent, IdempotencyKey: c.Once}
	if err := d.Afford(ctx, c.Scope, c.Config, len(draft.Text)); err != nil {
		return ingestDocsOutput{}, err
	}
	receipt, err := d.Documents.Submit(ctx, c.Scope, draft)
	if err != nil {
		return ingestDocsOutput{}, in.renamed(err)
	}
	return ingestDocsOutput{DocID: receipt.DocID, JobID: receipt.JobID}, nil
}

// document is the call as POST /ingest takes it.
func (in ingestDocsInput) document(config *tenants.Config) ([]byte, error) {
	form := "text/plain"
	if isMarkdown(in.Content) {
		form = "text/markdown"
	}
	doc := map[string]any{"docId": in.DocID, "text": in.Content, "contentType": form, "title": in.Title, "source": in.Source}
	if in.Metadata != nil {
		doc["metadata"] = in.Metadata
	}
	if in.ChunkSize != 0 {
		model, err := llm.FindEmbedding(config.Models.Embedding)
		if err != nil {
			return nil, err
		}
		doc["chunking"] = map[string]any{"maxTokens": min(model.Tokens, tokensOf(in.Content, in.ChunkSize))}
	}
	body, err := json.Marshal(doc)
	if err != nil {
		return nil, fault.New(fault.Internal, "tool_input", "", err)
	}
	return body, nil
}

// renamed names the members of the call in an error that names those of POST /ingest.
func (in ingestDocsInput) renamed(err error) error {
	return renamed(err, "docId", "doc_id", "text", "content", "chunking.maxTokens", "chunk_size")
}
