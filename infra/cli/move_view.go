package cli

import (
	"fmt"

	"levada.dev/workflows/job"
)

// moved says in a line how far a run has come that brings a tenant from another pool.
func moved(j job.Job) string {
	s := "move: " + string(j.State)
	if !j.State.Final() && j.Stage != "" {
		s += ", " + j.Stage
	}
	t := j.Transfer
	if t == nil {
		return s
	}
	s = fmt.Sprintf("%s, %s at %s: %d here", s, count(t.Found, "document"), t.From, j.Counts.Done)
	if t.Brought > 0 {
		s += fmt.Sprintf(", %d brought", t.Brought)
	}
	if t.Deleted > 0 {
		s += fmt.Sprintf(", %d deleted", t.Deleted)
	}
	if j.Counts.Failed > 0 {
		s += fmt.Sprintf(", %d failed", j.Counts.Failed)
	}
	if c := t.Talks; c != nil && c.Found > 0 {
		s += fmt.Sprintf(", %s: %d here", count(c.Found, "conversation"), min(c.Found, c.Same+c.Brought))
	}
	if t.Used != nil {
		s += ", " + cost(*t.Used) + " of the month's budgets"
	}
	if t.Verified {
		s += ", verified"
	}
	return s
}

// size is a number of bytes for people.
func size(bytes int64) string {
	switch {
	case bytes < 1<<10:
		return count(int(bytes), "byte")
	case bytes < 1<<20:
		return fmt.Sprintf("%d KiB", bytes>>10)
	}
	return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20))
}
