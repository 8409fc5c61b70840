package schema_test

import (
	"encoding/json"
	"fmt"

	"levada.dev/events"
	"levada.dev/events/schema"
)

func ExampleOf() {
	text, err := schema.Of(events.TypeDocumentIndexed)
	if err != nil {
		panic(err)
	}
	var s struct{ Title string }
	if err := json.Unmarshal(text, &s); err != nil {
		panic(err)
	}
	fmt.Println(s.Title)
	// Output: Searches find the generation
}
