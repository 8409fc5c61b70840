package port

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"levada.dev/events/fault"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/llm/dialect"
)

// rankingInput is what a reranking model takes: https://developers.cloudflare.com/workers-ai/models/bge-reranker-base/.
type rankingInput struct {
	Query    string           `json:"query"`
	Contexts []rankingContext `json:"contexts"`
	TopK     int              `json:"top_k"` // without it, the model answers fewer
}

type rankingContext struct {
	Text string `json:"text"`
}

func ranking(question string, texts []string) rankingInput {
	in := rankingInput{Query: question, Contexts: make([]rankingContext, len(texts)), TopK: len(texts)}
	for i, text := range texts {
		in.Contexts[i].Text = text
	}
	return in
}

// reranked is what a call has answered about so many texts.
func reranked(model string, status int, logID string, body []byte, texts int) (llm.Reranked, error) {
	if status != http.StatusOK {
		return llm.Reranked{}, dialect.Refusal(model, status, body, time.Now())
	}
	out := llm.Reranked{LogID: logID}
	var err error
	if out.Scores, err = scores(body, texts); err != nil {
		return llm.Reranked{}, fault.New(fault.Internal, "model_answer", "model "+model+" answered in another form", err)
	}
	return out, nil
}

// scores reads what it answers: {"response":[{"id":1,"score":0.9},...]}, best first, with the places of the texts as ids.
func scores(body []byte, texts int) ([]float64, error) {
	var answer struct {
		Response []struct {
			ID    *int     `json:"id"`
			Score *float64 `json:"score"`
		} `json:"response"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, err
	}
	out, told := make([]float64, texts), make([]bool, texts)
	for _, r := range answer.Response {
		if r.ID == nil || r.Score == nil || *r.ID < 0 || *r.ID >= texts || told[*r.ID] {
			return nil, fmt.Errorf("a score that is of none of %d texts", texts)
		}
		out[*r.ID], told[*r.ID] = *r.Score, true
	}
	for i, ok := range told {
		if !ok {
			return nil, fmt.Errorf("text %d has no score", i)
		}
	}
	return out, nil
}
