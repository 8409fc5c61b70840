package terms_test

import (
	"strings"
	"testing"

	"levada.dev/workflows/corpus/terms"
)

// BenchmarkPassage reads a chunk of each kind of writing; ns/op divided by its bytes is what a document costs.
func BenchmarkPassage(b *testing.B) {
	for _, tc := range []struct{ name, text string }{
		{"english", "Each levada is a narrow channel that carries water from the wet north of the island to the terraces in the south. "},
		{"german", "Die Bewässerungskanäle führen das Wasser aus den regenreichen Höhen des Nordens zu den Feldern im trockenen Süden. "},
		{"russian", "Каждый канал несёт воду из дождливого севера острова к террасам на сухом юге. "},
		{"chinese", "每条水渠都把岛屿多雨北部的水引到干燥南部的梯田。"},
		{"thai", "คลองแต่ละสายนำน้ำจากทางเหนือที่มีฝนตกชุกของเกาะไปยังนาขั้นบันไดทางใต้ "},
	} {
		b.Run(tc.name, func(b *testing.B) {
			text := strings.Repeat(tc.text, 2000/len(tc.text))
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				terms.Passage("Levadas of Madeira", "Water > Channels", text)
			}
		})
	}
}

func BenchmarkQuestion(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		terms.Question("Which channels carry the water of the north to the terraces?")
	}
}
