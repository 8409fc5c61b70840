package api

import (
	"net/http"
	"slices"

	"levada.dev/api/openai"
	"levada.dev/events/fault"
	"levada.dev/tenants/quota"
	"levada.dev/workflows/llm"
)

// embed answers the vectors of texts, by the model that the tenant's documents are embedded with.
func embed(c *call) error {
	req, err := openai.DecodeEmbedding(c.body)
	if err != nil {
		return err
	}
	c.dropBody() // nothing of the request points into it
	model, err := c.embeddingModel(&req)
	if err != nil {
		return err
	}
	bound := int64(4 * len(req.Input))
	for _, text := range req.Input {
		bound += int64(len(text))
	}
	if err := c.permitOpenAI(req.User, quota.Amount{Tokens: bound, Nanos: bound * model.Price}); err != nil {
		return err
	}
	began := c.opts.Now()
	vectors, tokens, err := c.vectors(model, req.Input)
	c.stage("model", began)
	if err != nil {
		return err
	}
	h := c.w.Header()
	h.Set("Content-Type", jsonType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Server-Timing", c.timings())
	c.w.WriteHeader(http.StatusOK)
	_ = openai.WriteEmbeddings(c.w, model.Name, vectors, req.Base64, tokens) // fails when the client left
	return nil
}

// embeddingModel is the tenant's own: vectors of another could be compared with nothing the tenant has.
func (c *call) embeddingModel(req *openai.EmbeddingRequest) (llm.EmbeddingModel, error) {
	own := c.config.Models.Embedding
	if req.Model != own && req.Model != llm.Default {
		hint := "allowed are " + llm.Default + ", " + own
		if slices.Contains(llm.EmbeddingNames(), req.Model) {
			return llm.EmbeddingModel{}, modelFault(fault.New(fault.Denied, "model_not_allowed", "The model is not this tenant's.", nil).WithHint(hint))
		}
		return llm.EmbeddingModel{}, fault.Invalidf("model", "model_unknown", "The model %.128q does not exist.", req.Model).WithHint(hint)
	}
	model, err := llm.FindEmbedding(own)
	if err != nil {
		return model, modelFault(err)
	}
	if req.Dimensions != 0 && req.Dimensions != model.Dimensions {
		return model, fault.Invalidf("dimensions", "invalid_value", "The vectors of %s have %d dimensions, and cannot be made to have others.",
			model.Name, model.Dimensions)
	}
	return model, nil
}

// vectors embeds the texts, as many at a time as the model takes.
func (c *call) vectors(model llm.EmbeddingModel, texts []string) (vectors [][]float32, tokens int, err error) {
	call := llm.Call{Model: model.Name, Purpose: llm.ForEmbeddings, RequestID: c.requestID}
	for batch := range slices.Chunk(texts, model.Batch) {
		e, err := c.Embedder.Embed(c.ctx(), c.scope, call, batch)
		if err != nil {
			return nil, 0, err
		}
		vectors = append(vectors, e.Vectors...)
		if e.Tokens == 0 { // the provider did not say
			for _, text := range batch {
				e.Tokens += llm.EstimateText(text)
			}
		}
		tokens += e.Tokens
	}
	return vectors, tokens, nil
}
