package eventstest_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"levada.dev/events"
	"levada.dev/events/eventstest"
	"levada.dev/tenants"
)

var day = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// A test of a handler tells its publisher to fail and looks at what was told in the end.
func ExamplePublisher() {
	scope, err := tenants.Resume("acme")
	if err != nil {
		panic(err)
	}
	fact := events.DocumentIndexed{DocumentRef: events.DocumentRef{DocID: "guide.md", Generation: 1, JobID: "j"}, Model: "m"}
	handle := func(p events.Publisher) error {
		e, err := events.New(scope, "consumers", events.Cause{ID: "cause"}, day, fact)
		if err != nil {
			return err
		}
		return p.Publish(context.Background(), scope, e)
	}

	p := &eventstest.Publisher{}
	p.FailAfter(1, errors.New("did it happen?"))
	fmt.Println(handle(p))
	fmt.Println(handle(p))
	told := p.Events()
	fmt.Println(len(told), "events,", told[0].ID == told[1].ID)
	// Output:
	// did it happen?
	// <nil>
	// 2 events, true
}
