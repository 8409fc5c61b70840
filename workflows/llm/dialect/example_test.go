package dialect_test

import (
	"fmt"
	"io"
	"strings"

	"levada.dev/workflows/llm/dialect"
)

// A stream in either form is read piece by piece.
func ExampleNewStream() {
	body := strings.NewReader("data: {\"response\":\"The \"}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"sea.\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
	s := dialect.NewStream(body, dialect.Answer{Model: "@cf/zai-org/glm-4.7-flash"})
	for {
		d, err := s.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%q %q\n", d.Text, d.Finish)
	}
	// Output:
	// "The " ""
	// "sea." ""
	// "" "stop"
}
