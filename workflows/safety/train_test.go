package safety

import (
	"flag"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var train = flag.Bool("train", false, "learn weights.bin from testdata/attacks.txt and benign.txt")

// templates are the lines of a file, and what the lists are that they name.
type templates struct {
	lines []string
	lists map[string]string
}

func readTemplates(t testing.TB, name string) templates {
	read := func(name string) (lines []string) {
		b, err := os.ReadFile("testdata/" + name)
		require.NoError(t, err)
		for line := range strings.Lines(string(b)) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "# ") {
				lines = append(lines, line)
			}
		}
		return lines
	}
	lists := map[string]string{}
	for _, line := range read("lists.txt") {
		name, list, ok := strings.Cut(line, ": ")
		require.True(t, ok, line)
		lists[name] = list
	}
	return templates{read(name), lists}
}

// make is a text of a template.
func (ts templates) make(r *rand.Rand, line string) string {
	var b strings.Builder
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '{':
			options, end := split(line[i+1:])
			b.WriteString(ts.make(r, options[r.IntN(len(options))]))
			i += end + 1
		case '<':
			if name, _, ok := strings.Cut(line[i+1:], ">"); ok && ts.lists[name] != "" {
				b.WriteString(ts.make(r, ts.lists[name]))
				i += len(name) + 1
				continue
			}
			b.WriteByte('<')
		default:
			b.WriteByte(line[i])
		}
	}
	return b.String()
}

// split is what stands between bars up to the closing brace, and where that is.
func split(s string) (options []string, end int) {
	depth, from := 0, 0
	for i := range len(s) {
		switch s[i] {
		case '{':
			depth++
		case '}':
			if depth == 0 {
				return append(options, s[from:i]), i
			}
			depth--
		case '|':
			if depth == 0 {
				options, from = append(options, s[from:i]), i+1
			}
		}
	}
	panic("a brace is not closed: " + s)
}

// example is a part of a text as the model sees it.
type example struct {
	features []uint32
	attack   bool
	template int
}

// examples makes so many texts of each template.
func examples(t testing.TB, each int, seed uint64) (out []example) {
	r := rand.New(rand.NewPCG(seed, 7))
	for _, name := range []string{"attacks.txt", "benign.txt"} {
		ts := readTemplates(t, name)
		for n, line := range ts.lines {
			for range each {
				out = append(out, example{featuresOf(ts.make(r, line)), name == "attacks.txt", n})
			}
		}
	}
	return out
}

// documents are the sentences of the repository's own pages, but for those about attacks: nobody attacks there.
func documents(t testing.TB) (out []example) {
	n := 0
	err := filepath.WalkDir("../../docs", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".md" || filepath.Base(path) == "safety.md" {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(b)) {
			for sentence := range strings.SplitSeq(line, ". ") {
				if len(sentence) > 30 && len(sentence) < 400 && n%3 == 0 {
					out = append(out, example{featuresOf(sentence), false, n % 10})
				}
				n++
			}
		}
		return nil
	})
	require.NoError(t, err)
	return out
}

func featuresOf(text string) (all []uint32) {
	n := normalise(text).text
	features(n, words().scan(n, nil), func(f uint32) { all = append(all, f) })
	return all
}

// learn is logistic regression by descent along one example at a time, with weights that shrink.
func learn(all []example, seed uint64) (w []float64, bias float64) {
	w = make([]float64, buckets)
	r := rand.New(rand.NewPCG(seed, 11))
	const epochs, shrink = 12, 2e-5
	for epoch := range epochs {
		rate := 0.5 / (1 + float64(epoch))
		for _, n := range r.Perm(len(all)) {
			e := all[n]
			norm := 1 / math.Sqrt(float64(len(e.features)))
			sum := bias
			for _, f := range e.features {
				sum += w[f] * norm
			}
			y, weight := 0.0, 1.5 // what is no attack counts more
			if e.attack {
				y, weight = 1, 1
			}
			g := rate * weight * (y - 1/(1+math.Exp(-sum)))
			bias += 0.05 * g
			for _, f := range e.features {
				w[f] += g*norm - rate*shrink*w[f]
			}
		}
	}
	return w, bias
}

// pack writes weights as weights.bin has them.
func pack(w []float64, bias float64) []byte {
	most := 0.0
	for _, x := range w {
		most = max(most, math.Abs(x))
	}
	scale := math.Ceil(most / 127 * 1024)
	out := []byte{byte(scale), byte(int8(math.Round(bias * 16)))}
	for _, x := range w {
		out = append(out, byte(int8(max(-127, min(127, math.Round(x*1024/scale))))))
	}
	return out
}

// TestTrain learns the weights, and holds each tenth template back to see what becomes of wordings that were not learned.
func TestTrain(t *testing.T) {
	if !*train {
		t.Skip("run with -train to learn weights.bin again")
	}
	all := append(examples(t, 60, 1), documents(t)...)
	var known, strange []example
	for _, e := range all {
		if e.template%10 == 3 {
			strange = append(strange, e)
		} else {
			known = append(known, e)
		}
	}
	w, bias := learn(known, 1)
	report(t, "templates held back", w, bias, strange)
	w, bias = learn(all, 1)
	require.NoError(t, os.WriteFile("weights.bin", pack(w, bias), 0o644))
}

func report(t *testing.T, name string, w []float64, bias float64, all []example) {
	var n, hit [2]int
	for _, e := range all {
		sum := bias
		for _, f := range e.features {
			sum += w[f] / math.Sqrt(float64(len(e.features)))
		}
		k := 0
		if e.attack {
			k = 1
		}
		n[k]++
		if sum >= 0 {
			hit[k]++
		}
	}
	t.Logf("%s: %d of %d attacks found, %d of %d others taken for one", name, hit[1], n[1], hit[0], n[0])
}

// Of texts of the same making, with other choices, the screen finds what it must, and leaves the others alone.
func TestOwnTexts(t *testing.T) {
	r := rand.New(rand.NewPCG(99, 3))
	found, all := map[string]int{}, map[string]int{}
	for _, name := range []string{"attacks.txt", "benign.txt"} {
		ts := readTemplates(t, name)
		for _, line := range ts.lines {
			for range 5 {
				text := ts.make(r, line)
				all[name]++
				if v := screen(text, false); v.Found() {
					found[name]++
					if name == "benign.txt" {
						t.Logf("taken for an attack: %v %q", v, text)
					}
				} else if name == "attacks.txt" && testing.Verbose() {
					t.Logf("not found: %q", text)
				}
			}
		}
	}
	t.Logf("%d of %d attacks, %d of %d others", found["attacks.txt"], all["attacks.txt"], found["benign.txt"], all["benign.txt"])
	assert.Greater(t, found["attacks.txt"]*100, all["attacks.txt"]*95)
	assert.Less(t, found["benign.txt"]*50, all["benign.txt"])
}
