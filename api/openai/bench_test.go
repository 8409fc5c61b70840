package openai_test

import (
	"encoding/json"
	"strings"
	"testing"

	"levada.dev/api/openai"
	"levada.dev/workflows/llm"
)

func BenchmarkDecodeSmall(b *testing.B) {
	benchmarkDecode(b, `{"model":"default","stream":true,"messages":[{"role":"system","content":"You are brief."},{"role":"user","content":"What flows along a levada?"}],"max_tokens":100}`)
}

func BenchmarkDecodeEverything(b *testing.B) { benchmarkDecode(b, everything) }

func BenchmarkDecodeLong(b *testing.B) {
	benchmarkDecode(b, withMessages(`[{"role":"user","content":"`+strings.Repeat(`Water flows along the levada.\n`, 1000)+`"}]`))
}

func benchmarkDecode(b *testing.B, body string) {
	data := []byte(body)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := openai.DecodeChat(data); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkUnmarshal is what encoding/json takes for the same as BenchmarkDecodeEverything, and checks less.
func BenchmarkUnmarshal(b *testing.B) {
	data := []byte(everything)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		var q struct {
			Model    string
			Messages []struct {
				Role, Name, ToolCallID string
				Content                json.RawMessage
				ToolCalls              []struct {
					ID, Type string
					Function struct{ Name, Arguments string }
				} `json:"tool_calls"`
			}
			Tools []struct {
				Type     string
				Function struct {
					Name, Description string
					Parameters        json.RawMessage
				}
			}
			ToolChoice     json.RawMessage `json:"tool_choice"`
			ResponseFormat json.RawMessage `json:"response_format"`
			Stop           []string
			Temperature    *float64
		}
		if err := json.Unmarshal(data, &q); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNewChunks(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		openai.NewChunks(head, true)
	}
}

func BenchmarkChunk(b *testing.B) {
	c := openai.NewChunks(head, true)
	buf := c.Append(nil, llm.Delta{Text: "x"})
	d := llm.Delta{Text: " water"}
	b.ReportAllocs()
	for b.Loop() {
		buf = c.Append(buf[:0], d)
	}
}
