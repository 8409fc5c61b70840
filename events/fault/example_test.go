package fault_test

import (
	"fmt"

	"levada.dev/events/fault"
)

// Five things are done in one call; the one that cannot be done is found, and the others are done.
func ExampleIsolate() {
	texts := []string{"one", "two", "bad", "four", "five"}
	errs := fault.Isolate(len(texts), func(from, to int) error {
		for _, t := range texts[from:to] {
			if t == "bad" {
				return fault.Invalidf("text", "text_refused", "no")
			}
		}
		fmt.Println("done:", texts[from:to])
		return nil
	})
	fmt.Println(errs[2])
	// Output:
	// done: [one two]
	// done: [four five]
	// text_refused at text: no
}
