package tools

import (
	"context"
	"time"

	"levada.dev/tenants"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/tools/loop"
)

// Offer is tools as a model may call them, for the caller: of those that the box lists for it.
func Offer(b Box, s tenants.Scope, c Caller, offered []Tool) *loop.Kit {
	kit := &loop.Kit{Steps: c.Config.Tools.MaxSteps, Time: time.Duration(c.Config.Tools.MaxSeconds) * time.Second}
	for _, t := range offered {
		kit.Tools = append(kit.Tools, llm.Tool{Name: t.Name, Description: t.Description, Parameters: t.Input.Text()})
		if t.Effects == Writes {
			kit.Writes = append(kit.Writes, t.Name)
		}
	}
	kit.Run = func(ctx context.Context, call loop.Call) (loop.Done, error) {
		r, err := b.Execute(ctx, s, c, Order{Tool: call.Tool, Input: call.Input, Key: call.Key, Shared: call.Shared})
		return loop.Done{Data: r.Data, Duration: r.Duration}, err
	}
	return kit
}
