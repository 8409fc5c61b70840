package batch_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"levada.dev/events"
	"levada.dev/infra/memory"
	"levada.dev/producers/batch"
	"levada.dev/tenants"
	"levada.dev/workflows/imports"
)

// A line that is no document is named, and the others go on.
func ExampleDoor_Take() {
	acme, err := tenants.Resume("acme")
	if err != nil {
		fmt.Println(err)
		return
	}
	door := batch.New(&memory.Parts{}, memory.NewLedger(time.Now), nil)
	taken, err := door.Take(context.Background(), acme, imports.Batch{
		Body:    strings.NewReader("{\"id\":\"guide\",\"text\":\"Levadas carry water.\"}\n{\"id\":\n"),
		MaxLine: 1 << 20, Decode: decode, Cause: events.Cause{ID: "request"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(taken.Entries, "taken,", taken.Refused, "refused: line", taken.Problems[0].Line, taken.Problems[0].Code)
	// Output: 1 taken, 1 refused: line 2 invalid_json
}
