package tally_test

import (
	"fmt"

	"levada.dev/events/tally"
)

func Example() {
	fmt.Println(tally.Check([]byte(`{"tags":["a","b","c"]}`), "params", 5))
	fmt.Println(tally.Check([]byte(`{"tags":["a","b","c"]}`), "params", 4))
	// Output:
	// <nil>
	// json_too_complex at params.tags[2]: the JSON holds more than 4 values
}
