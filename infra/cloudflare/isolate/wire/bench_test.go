package wire_test

import (
	"encoding/json"
	"testing"

	"levada.dev/infra/cloudflare/isolate/wire"
)

// The Go side of ten rows of four columns, as a frame and as JSON. For the numbers that
// count, run it under js/wasm with go_js_wasm_exec.
func BenchmarkRows(b *testing.B) {
	const rows = 10
	var values []any
	var table [][]any
	for i := range rows {
		row := []any{i, "document-12345678", 0.5, "a text of some length, as rows have"}
		values = append(values, row...)
		table = append(table, row)
	}
	frame, err := wire.Append(nil, values...)
	if err != nil {
		b.Fatal(err)
	}
	text, err := json.Marshal(table)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("frame", func(b *testing.B) {
		for b.Loop() {
			r := wire.NewReader(frame)
			for range rows {
				_, _, _, _ = r.Int(), r.String(), r.Float(), r.String()
			}
		}
	})
	b.Run("json", func(b *testing.B) {
		for b.Loop() {
			var cells [][]json.RawMessage
			if err := json.Unmarshal(text, &cells); err != nil {
				b.Fatal(err)
			}
			for _, c := range cells {
				var n int64
				var s string
				var f float64
				for _, e := range []error{json.Unmarshal(c[0], &n), json.Unmarshal(c[1], &s), json.Unmarshal(c[2], &f), json.Unmarshal(c[3], &s)} {
					if e != nil {
						b.Fatal(e)
					}
				}
			}
		}
	})
}
