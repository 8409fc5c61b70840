package waterfall

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"levada.dev/events/meter/view"
	"levada.dev/events/trace"
)

// Bounds of what is drawn, in characters.
const (
	widestName = 48
	widestBar  = 60
	leastBar   = 10
	times      = 11 // of a time with its unit
)

// Draw writes a line for each span, below what caused it: its name, when it was and how long it took, and what is known of it. The lines are as wide
// as width, or as they need to be where that is 0.
func Draw(w io.Writer, t view.Spans, width int) {
	lines := tree(t.Spans)
	names, notes := 0, 0
	for _, l := range lines {
		names = max(names, utf8.RuneCountInString(l.name()))
		notes = max(notes, utf8.RuneCountInString(note(l.span)))
	}
	names = min(names, widestName)
	room := widestBar
	if width > 0 {
		room = min(max(width-names-times-notes-3, leastBar), widestBar)
	}
	whole := 0.0
	for _, l := range lines {
		whole = max(whole, l.span.Offset+l.span.Duration)
	}
	for _, l := range lines {
		line := fmt.Sprintf("%s %s %*s %s", padded(cut(l.name(), names), names), bar(l.span, whole, room), times, took(l.span.Duration), note(l.span))
		fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
}

type placed struct {
	span  view.Span
	depth int
}

func (p placed) name() string {
	return strings.Repeat("  ", p.depth) + string(p.span.Kind) + " " + p.span.Name
}

// tree has every span after what caused it, in the order of time. One whose cause is not there stands at the beginning of a line.
func tree(spans []view.Span) (lines []placed) {
	known, below := map[string]bool{}, map[string][]view.Span{}
	for _, s := range spans {
		known[s.ID] = true
	}
	for _, s := range spans {
		cause := s.Parent
		if !known[cause] || cause == s.ID {
			cause = ""
		}
		below[cause] = append(below[cause], s)
	}
	seen := map[string]bool{}
	var add func(cause string, depth int)
	add = func(cause string, depth int) {
		slices.SortStableFunc(below[cause], func(a, b view.Span) int { return cmp.Compare(a.Offset, b.Offset) })
		for _, s := range below[cause] {
			if seen[s.ID] {
				continue
			}
			seen[s.ID] = true
			lines = append(lines, placed{s, depth})
			add(s.ID, depth+1)
		}
	}
	add("", 0)
	return lines
}

// bar is when a span was within the whole.
func bar(s view.Span, whole float64, room int) string {
	if whole <= 0 {
		whole = 1
	}
	from := min(int(s.Offset/whole*float64(room)), room-1)
	long := min(max(int(s.Duration/whole*float64(room)+0.5), 1), room-from)
	return strings.Repeat("·", from) + strings.Repeat("━", long) + strings.Repeat("·", room-from-long)
}

// took is a time as people say it.
func took(ms float64) string {
	if ms >= 10_000 {
		return fmt.Sprintf("%.1f s", ms/1000)
	}
	return fmt.Sprintf("%.1f ms", ms)
}

// note is what is known of a span that is worth a word.
func note(s view.Span) string {
	var words []string
	if s.Outcome != trace.OK {
		words = append(words, string(s.Outcome))
	}
	if s.Code != "" {
		words = append(words, s.Code)
	}
	if s.Status != 0 {
		words = append(words, fmt.Sprint(s.Status))
	}
	if s.Attempt > 1 {
		words = append(words, fmt.Sprintf("attempt %d", s.Attempt))
	}
	if s.Prompt+s.Completion > 0 {
		words = append(words, fmt.Sprintf("%d + %d tokens", s.Prompt, s.Completion))
	}
	if s.Chars > 0 {
		words = append(words, fmt.Sprintf("%d characters", s.Chars))
	}
	if s.Nanos > 0 {
		words = append(words, fmt.Sprintf("$%d.%09d", s.Nanos/1e9, s.Nanos%1e9))
	}
	return strings.Join(words, ", ")
}

func cut(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}

func padded(s string, n int) string {
	return s + strings.Repeat(" ", max(n-utf8.RuneCountInString(s), 0))
}
