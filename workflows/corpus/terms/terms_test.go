package terms_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/kljensen/snowball/english"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/workflows/corpus"
	"levada.dev/workflows/corpus/terms"
)

var update = flag.Bool("update", false, "write the golden file")

func body(text string) []string {
	_, b := terms.Passage("", "", text)
	return b
}

// finds says how many of a question's heavier terms a passage has, and of how many.
func finds(question, passage string) (has, of int) {
	there := body(passage)
	for _, t := range terms.Question(question) {
		if t.Weight >= 0.5 {
			of++
			if slices.Contains(there, t.Text) {
				has++
			}
		}
	}
	return has, of
}

func TestPassageKeepsItsOrder(t *testing.T) {
	head, text := terms.Passage("The levadas of Madeira", "Water > Channels", "They carry the water to the terraces.")
	assert.Equal(t, []string{"the", "levada", "of", "madeira", "water", "channel"}, head)
	assert.Equal(t, []string{"they", "carri", "the", "water", "to", "the", "terrac"}, text)

	head, text = terms.Passage("", "", "")
	assert.Empty(t, head)
	assert.Empty(t, text)
}

// TestFound is questions, and sentences in the same language that answer them in other forms of the same words.
func TestFound(t *testing.T) {
	for _, tc := range []struct{ language, question, passage string }{
		{"English", "flooded terraces", "The flood destroyed a terrace of the farm."},
		{"English, possessive", "Faraday's laws", "The law of Faraday was published in 1833."},
		{"English, accents", "resume of the cafe owners", "He sent his résumé to the owner of the café."},
		{"German", "Welche Häuser wurden zerstört?", "Das Haus war nach dem Brand zerstört."},
		{"German, no umlauts", "Stra\u00dfen in M\u00fcnchen", "Die STRASSEN von MÜNCHEN sind voll."},
		{"French", "les canaux royaux", "Le canal royal est sur la carte de la ville."},
		{"French, elision", "l'eau de l'école", "L’eau arrive dans une école."},
		{"Spanish", "¿Dónde están las acequias viejas?", "La acequia vieja está en el pueblo."},
		{"Italian", "Quali sono i canali antichi?", "Il canale antico è nella valle."},
		{"Portuguese", "as estações dos camiões", "A estação é para o camião."},
		{"Dutch", "Welke bomen bij de huizen?", "De boom is naast het huis."},
		{"Swedish", "vilka bilar", "En bil är inte en båt."},
		{"Russian", "Какие каналы построили?", "Построили канал для воды, который был не нужен."},
		{"Russian, ё", "елка в лесу", "Ёлка стоит в лесу."},
		{"Greek", "ΝΕΡΟ στην ΠΟΛΗ", "Το νερό έρχεται στην πόλη."},
		{"Turkish", "ISPARTA gülleri için", "Isparta gülleri çok güzel."},
		{"Chinese", "水渠在哪里", "岛上的水渠在哪里都能看到。"},
		{"Chinese, one sign", "水", "水渠"},
		{"Japanese", "灌漑用水路", "マデイラ島の灌漑用水路は有名です。"},
		{"Japanese, half width", "ﾏﾃﾞｲﾗ", "マデイラ"},
		{"Korean", "수로를", "그 수로를 따라 걷는다"},
		{"Thai", "คลองชลประทาน", "คลองชลประทานนำน้ำจากทางเหนือ"},
		{"Lao", "ຄອງນ້ຳ", "ຄອງນ້ຳຢູ່ທາງເໜືອ"},
		{"Khmer", "ប្រឡាយទឹក", "ប្រឡាយទឹកនៅភាគខាងជើង"},
		{"Burmese", "ရေမြောင်း", "ရေမြောင်းသည်မြောက်ပိုင်းတွင်ရှိသည်"},
		{"Arabic", "القنوات", "قنوات الماء في الجزيرة"},
		{"Arabic, vowels and hamza", "أَحْمَد", "زار احمد المدينة"},
		{"Persian letters", "کتاب", "كتاب"},
		{"Hebrew", "המים", "מים זורמים בתעלה"},
		{"Hebrew, prefix in the passage", "תעלה", "בתעלה זורמים מים"},
		{"Hindi", "नहरें", "नहर का पानी"},
		{"Hindi, nukta", "ज़मीन", "जमीन सूखी है"},
		{"numbers", "1,000 genomes", "the genome of 1.000 people"},
		{"decimals", "6.5 percent", "It grew by 6.5 percent."},
		{"identifiers", "IL-2 CD4", "il-2 and CD4 cells"},
		{"full width", "ＡＢＣ１２３", "abc123"},
	} {
		has, of := finds(tc.question, tc.passage)
		assert.Positive(t, of, tc.language)
		// A question may ask for other forms of the same word beside: what must be there is one for each word.
		assert.GreaterOrEqual(t, has, wordsIn(tc.question), "%s: %q has %v, asked are %v", tc.language, tc.passage, body(tc.passage), terms.Question(tc.question))
	}
}

// wordsIn counts the words of a question that must be found, which TestFound's are written for: all that are no function words.
func wordsIn(question string) int {
	n := 0
	for _, w := range strings.Fields(question) {
		if q := terms.Question(question); slices.ContainsFunc(q, func(t corpus.Term) bool {
			return t.Weight >= 0.5 && slices.ContainsFunc(terms.Question(w), func(u corpus.Term) bool { return u.Text == t.Text })
		}) {
			n++
		}
	}
	return n
}

// TestNotFound is what is known not to work: docs/design/search.md lists it.
func TestNotFound(t *testing.T) {
	for _, tc := range []struct{ why, question, passage string }{
		{"simplified and traditional Chinese differ", "水库", "水庫"},
		{"umlauts written as two letters are other words", "Mueller", "Herr Müller ist nicht da."},
		{"irregular forms are other words", "mice", "The mouse is in the house."},
		{"names in another script are other words", "Moscow", "Москва"},
	} {
		has, of := finds(tc.question, tc.passage)
		assert.Positive(t, of)
		assert.Zero(t, has, tc.why)
	}
}

func TestCompoundsShareTheirEnds(t *testing.T) {
	passage := body("Die Verteidigungslinie und der Trinkwasserspeicher wurden in dem Jahr gebaut.")
	for _, question := range []string{"Wer leitete die Verteidigung?", "Wo ist der Wasserspeicher?", "Was ist ein Trinkwasserbrunnen?"} {
		shared := 0
		for _, q := range terms.Question(question) {
			if slices.Contains(passage, q.Text) && strings.HasPrefix(q.Text, "·") {
				shared++
				assert.Less(t, q.Weight, 0.5, "a part is worth less than a word")
			}
		}
		assert.Positive(t, shared, question)
	}
}

func TestFunctionWordsAreLightButNotLost(t *testing.T) {
	weights := map[string]float64{}
	for _, q := range terms.Question("What is the height of the tower?") {
		weights[q.Text] = q.Weight
	}
	assert.Equal(t, 1.0, weights["tower"])
	assert.Equal(t, 1.0, weights["height"])
	assert.Less(t, weights["the"], 0.5)
	assert.Positive(t, weights["the"])

	for _, question := range []string{"to be or not to be", "The Who", "was ist das", "it"} {
		q := terms.Question(question)
		require.NotEmpty(t, q, question)
		heaviest := 0.0
		for _, x := range q {
			heaviest = max(heaviest, x.Weight)
		}
		assert.GreaterOrEqual(t, heaviest, 0.99, question)
	}
	assert.Subset(t, body("The Who are a band."), []string{"the", "who"})
}

func TestFormsOfAWordAreToldAsSuch(t *testing.T) {
	of := map[string]int{}
	for _, q := range terms.Question("Which channel carries the Trinkwasserleitungen?") {
		of[q.Text] = q.Word
	}
	assert.Positive(t, of["carri"])
	assert.Equal(t, of["carri"], of["carries"])
	assert.NotEqual(t, of["channel"], of["carries"])
	for _, q := range terms.Question("Wo ist die Trinkwasserleitung?") {
		assert.Equal(t, strings.HasPrefix(q.Text, "·"), q.Word == 0, "%s: an end of a word is not missed", q.Text)
	}
	seen := map[int]bool{}
	for _, q := range terms.Question("烽火台有什么用") {
		assert.False(t, seen[q.Word], "two signs are words of their own")
		seen[q.Word] = true
	}
}

func TestQuestionWithoutEvidenceIsAskedInEveryLanguage(t *testing.T) {
	for _, passage := range []string{"The terraces of the island are old.", "Es gibt Terraces auf der Insel.", "Terraces"} {
		has, _ := finds("terraces", passage)
		assert.Positive(t, has, passage)
	}
}

func TestQuestionIsBounded(t *testing.T) {
	var words []string
	for i := range 5000 {
		words = append(words, fmt.Sprintf("wort%dverteidigungslinie", i), "haus"+strings.Repeat("a", i%7))
	}
	q := terms.Question(strings.Join(words, " "))
	assert.Len(t, q, corpus.MaxTerms)
	assert.Empty(t, terms.Question(" -- ?! "))
}

// TestStemsAreThoseOfThePublishedAlgorithm holds the stemmer against another one, over words that its rules are about.
func TestStemsAreThoseOfThePublishedAlgorithm(t *testing.T) {
	roots := strings.Fields(`relat nation gener commun arsen hop fall fail hiss bak control sens commut activ formal electric vietnamiz
		happ enjo cr b tr agre feed knack rol prob oper depend adjust probab hors yell say by dy sk ugl bias succe abil fluid graph biolog
		sincer defens reviv anal conspir irrit replac communal demon consist inflam propaganda day coy youth`)
	endings := strings.Fields(`s es ed ing er ers ies ied y ly ingly edly eed eedly ation ational ational ization izer ize ise ness ful fulness
		ousness iveness tional biliti bility lessli less entli ently ent al alism aliti ality ousli ously iviti ivity fulli fully enci ency anci
		ancy abli ably able ator alli ally bli ogi ogy li ative icate iciti icity ical ement ance ence ible ment ant ism ate iti ous ive ion
		sion tion ic e l ll us ss ying ies tt bb`)
	n := 0
	for _, frame := range []string{"the the the "} {
		for _, r := range roots {
			for _, e := range append(endings, "") {
				got := body(frame + r + e)
				assert.Equal(t, english.Stem(r+e, true), got[len(got)-1], r+e)
				n++
			}
		}
	}
	for w := range strings.FieldsSeq("skis skies dying lying tying idly gently ugly early only singly sky news howe atlas cosmos bias andes inning innings outing canning herring earring proceed exceed succeed succeeded") {
		got := body("the the the " + w)
		assert.Equal(t, english.Stem(w, true), got[len(got)-1], w)
	}
	assert.Greater(t, n, 4000)
}

func TestGolden(t *testing.T) {
	in, err := os.ReadFile("testdata/sentences.txt")
	require.NoError(t, err)
	var out strings.Builder
	for line := range strings.Lines(string(in)) {
		line = strings.TrimSpace(line)
		fmt.Fprintf(&out, "%s\n  passage: %s\n  question:", line, strings.Join(body(line), " "))
		for _, q := range terms.Question(line) {
			fmt.Fprintf(&out, " %s=%.4g", q.Text, q.Weight)
		}
		out.WriteByte('\n')
	}
	if *update {
		require.NoError(t, os.WriteFile("testdata/golden.txt", []byte(out.String()), 0o644))
	}
	want, err := os.ReadFile("testdata/golden.txt")
	require.NoError(t, err)
	assert.Equal(t, string(want), out.String(), "what is in the indexes was made by the golden terms: with others, documents have to be indexed again")
}

func valid(t *testing.T, term string) {
	t.Helper()
	require.NotEmpty(t, term)
	require.LessOrEqual(t, len(term), 64, "%q", term)
	require.True(t, utf8.ValidString(term), "%q", term)
	for _, c := range []byte(term) {
		require.True(t, c >= utf8.RuneSelf || c >= 'a' && c <= 'z' || c >= '0' && c <= '9', "%q", term)
	}
}

func FuzzTerms(f *testing.F) {
	for _, s := range []string{
		"don't stop", "L'été à Köln", "1,000.5", "水渠です", "คลอง", "ＡＢＣ", "\xff\x00a", "a\u0301\u200d", "नहरें", "والقنوات", "ﬃ", "İI", "s's's",
		strings.Repeat("x", 300), strings.Repeat("์", 90), "가나다", "הלכתי", "аяя",
	} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, head, text string) {
		h, b := terms.Passage(head, "", text)
		again, same := terms.Passage(head, "", text)
		require.Equal(t, h, again)
		require.Equal(t, b, same)
		for _, list := range [][]string{h, b} {
			require.LessOrEqual(t, len(list), 3*len(head)+3*len(text))
			for _, x := range list {
				valid(t, x)
			}
		}
		q := terms.Question(text)
		require.LessOrEqual(t, len(q), corpus.MaxTerms)
		seen := map[string]bool{}
		for _, x := range q {
			valid(t, x.Text)
			require.False(t, seen[x.Text])
			seen[x.Text] = true
			require.Positive(t, x.Weight)
			require.LessOrEqual(t, x.Weight, 1e4)
		}
	})
}
