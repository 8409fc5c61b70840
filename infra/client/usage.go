package client

import (
	"context"
	"encoding/json"
	"fmt"
)

// Usage is a tenant's account.
type Usage struct {
	Lines   []UsageLine
	Budgets []Budget
}

// UsageLine is what one model cost for one purpose of a capability on one day.
type UsageLine struct {
	Day, Capability, Purpose, Model string

	Calls      int64
	Prompt     int64 `json:"promptTokens"`
	Completion int64 `json:"completionTokens"`
	Chars      int64 `json:"characters"`
	Neurons    float64
	Nanos      int64 `json:"nanoUSD"`
}

// Budget is what the tenant may use, and has used.
type Budget struct {
	Period, Unit           string
	Limit, Spent, Reserved int64
}

// Usage asks for this month's account.
func (c *Client) Usage(ctx context.Context) (Usage, error) {
	return get[Usage](ctx, c, "/usage", nil)
}

// ExportUsage asks for this month's account as the platform writes it.
func (c *Client) ExportUsage(ctx context.Context) (json.RawMessage, error) {
	return get[json.RawMessage](ctx, c, "/usage", nil)
}

// Calls is how many calls were made for a purpose.
func (u Usage) Calls(purpose string) (n int64) {
	for _, l := range u.Lines {
		if l.Purpose == purpose {
			n += l.Calls
		}
	}
	return n
}

// Dollars writes billionths of a dollar, to the millionth: the prices of models are so small that cents would say nothing.
func Dollars(nanos int64) string {
	sign := ""
	if nanos < 0 {
		sign, nanos = "-", -nanos
	}
	micros := (nanos + 500) / 1000
	return fmt.Sprintf("%s$%d.%06d", sign, micros/1e6, micros%1e6)
}

// Work is what an estimate is about, by the numbers of its capability: ingest has documents and bytes or tokens, speech characters.
type Work struct {
	Capability string `json:"capability"`
	Model      string `json:"model,omitempty"`
	Documents  *int64 `json:"documents,omitempty"`
	Bytes      *int64 `json:"bytes,omitempty"`
	Tokens     *int64 `json:"tokens,omitempty"`
	Characters *int64 `json:"characters,omitempty"`
}

// Estimate is what a work would take: as it is expected, and at most.
type Estimate struct {
	Capability string `json:"capability"`
	Model      string `json:"model"`
	EstimateSum
	Most    EstimateSum  `json:"most"`
	Basis   []string     `json:"basis"`
	Budgets []BudgetRoom `json:"budgets"`
	Prices  string       `json:"pricesAt"`
}

// EstimateSum is what calls of models take.
type EstimateSum struct {
	Calls   int64   `json:"calls"`
	Tokens  int64   `json:"tokens"`
	Chars   int64   `json:"characters"`
	Neurons float64 `json:"neurons"`
	Nanos   int64   `json:"nanoUSD"`
	USD     float64 `json:"usd"`
}

// BudgetRoom is what is left of a budget that a work needs something of, and whether it fits: yes, perhaps or no.
type BudgetRoom struct {
	Period   string `json:"period"`
	Unit     string `json:"unit"`
	Left     int64  `json:"left"`
	Expected int64  `json:"expected"`
	Most     int64  `json:"most"`
	Fits     string `json:"fits"`
}

// Estimate asks what a work would take.
func (c *Client) Estimate(ctx context.Context, w Work) (Estimate, error) {
	return post[Estimate](ctx, c, "/usage/estimate", w)
}
