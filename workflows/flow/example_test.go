package flow_test

import (
	"context"
	"fmt"
	"time"

	"levada.dev/tenants"
	"levada.dev/workflows/flow"
)

// A flow pays once, ships, and waits to hear of the arrival. What runs it may die at any time: steps that have ended are not done again.
func ExampleInline() {
	order := func(ctx context.Context, _ tenants.Scope, r flow.Run, _ []byte) error {
		parcels, err := flow.Do(ctx, r, "pay", func(context.Context) (int, error) {
			fmt.Println("paid", r.ID())
			return 2, nil
		})
		if err != nil {
			return err
		}
		for n := range parcels {
			if _, err := r.Step(ctx, fmt.Sprintf("ship %d", n), func(context.Context) ([]byte, error) {
				fmt.Println("shipped", n)
				return nil, nil
			}); err != nil {
				return err
			}
		}
		where, err := r.Wait(ctx, "arrival", "arrived", time.Hour)
		fmt.Println("arrived at", string(where))
		return err
	}
	acme, err := tenants.Resume("acme")
	if err != nil {
		fmt.Println(err)
		return
	}
	var mail flow.Mailbox
	mail.Put("arrived", []byte("the gate"))
	if err := flow.Inline(context.Background(), acme, order, "order-1", nil, &flow.InlineOptions{Mail: &mail}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// paid order-1
	// shipped 0
	// shipped 1
	// arrived at the gate
}
