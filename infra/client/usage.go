package client

import (
	"context"
	"encoding/json"
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
