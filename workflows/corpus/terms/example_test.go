package terms_test

import (
	"fmt"

	"levada.dev/workflows/corpus/terms"
)

func Example() {
	head, body := terms.Passage("Levadas", "", "The channels carry water.")
	fmt.Println(head, body)
	for _, t := range terms.Question("Which channel carries the water?") {
		fmt.Print(t.Text, " ", t.Weight, "; ")
	}
	// Output:
	// [levada] [the channel carri water]
	// which 0.1; channel 1; carri 1; the 0.1; water 1; carries 1;
}
