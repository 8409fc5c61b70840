package chat_test

import (
	"context"
	"encoding/json"
	"time"

	"levada.dev/workflows/llm"
	"levada.dev/workflows/tools/loop"
)

// kit offers a tool echo that does as run says, twice.
func kit(run func(name, input string) (string, error)) *loop.Kit {
	return &loop.Kit{
		Tools: []llm.Tool{{Name: "echo"}}, Steps: 2, Time: time.Minute,
		Run: func(_ context.Context, c loop.Call) (loop.Done, error) {
			data, err := run(c.Tool, string(c.Input))
			return loop.Done{Data: json.RawMessage(data)}, err
		},
	}
}
