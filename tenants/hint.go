package tenants

import (
	"fmt"
	"strings"
)

// didYouMean is a hint that names the candidate closest to what was written, or else lists them.
func didYouMean[T ~string](got string, candidates []T) string {
	if best, ok := Closest(got, candidates); ok {
		return fmt.Sprintf("did you mean %q?", best)
	}
	names := make([]string, len(candidates))
	for i, c := range candidates {
		names[i] = string(c)
	}
	return "one of " + strings.Join(names, ", ")
}

// Closest finds the candidate that is got but for the case or a slip of the finger or two.
func Closest[T ~string](got string, candidates []T) (T, bool) {
	var best T
	bound := 1 + len(got)/4
	if bound > 3 {
		bound = 3
	}
	found := false
	for _, c := range candidates {
		d := distance(strings.ToLower(got), strings.ToLower(string(c)))
		if d <= bound {
			best, bound, found = c, d-1, true
		}
	}
	return best, found
}

// distance is the Levenshtein distance in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
