package chunk_test

import (
	"fmt"

	"levada.dev/workflows/corpus/chunk"
)

func ExampleSplit() {
	text := "# Levadas\n\nA levada carries water along a slope. It is shared out fairly.\n\n## Gates\n\nA gate is opened by hand. It is closed by hand, too.\n"
	chunks, err := chunk.Split([]byte(text), "text/markdown", chunk.Options{MaxTokens: 24})
	if err != nil {
		panic(err)
	}
	for _, c := range chunks {
		fmt.Printf("%s [%d:%d] %q\n", c.Heading, c.Start, c.End, text[c.Start:c.End])
	}
	// Output:
	// Levadas [0:73] "# Levadas\n\nA levada carries water along a slope. It is shared out fairly."
	// Levadas > Gates [75:137] "## Gates\n\nA gate is opened by hand. It is closed by hand, too."
}
