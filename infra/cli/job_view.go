package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"levada.dev/infra/client"
	"levada.dev/workflows/job"
)

// view is where a command shows what it found, and how.
type view struct {
	JSON           bool
	Stdout, Stderr io.Writer
	Platform       *platformOptions // that the command was called with, for the commands it advises; may be nil
}

// command is a command line about the same platform and tenant.
func (v view) command(line string) string {
	if v.Platform == nil {
		return line
	}
	return line + v.Platform.again()
}

// follow draws a job until it is final. Who interrupts it leaves the job alone, and is told so.
func (v view) follow(ctx context.Context, c *client.Client, id string) (job.Job, error) {
	m := v.meter("waiting", 0)
	j, err := c.Follow(ctx, id, m.show)
	m.clear()
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("not followed to its end; the job goes on\n  follow it:   %s", v.command("levada jobs follow "+id))
		if j.Kind != job.Erase { // an erasure goes on in any case
			err = fmt.Errorf("%w\n  cancel it:   %s", err, v.command("levada jobs cancel "+id))
		}
		return j, err
	}
	return j, err
}

// ended shows a job that was followed, and fails when it did not do all that it was to do.
func (v view) ended(j job.Job) error {
	if err := v.outcome(j, ""); err != nil {
		return err
	}
	failed := v.together(nil, 0, j, nil)
	if j.Kind == job.Import && j.Counts.Failed > 0 {
		return v.fail(failed)
	}
	if len(failed) > 0 {
		failures(failed).draw(v.Stderr)
	}
	if j.State != job.Succeeded {
		return fmt.Errorf("job %s %s", j.ID, j.State)
	}
	return nil
}

// outcome shows where a job stands, and more for people.
func (v view) outcome(j job.Job, more string) error {
	if v.JSON {
		return printJSON(v.Stdout, j)
	}
	_, err := fmt.Fprintln(v.Stdout, outcome(j)+more)
	return err
}

// fail shows what failed, and fails when that is anything. What ended an import itself is none of its documents.
func (v view) fail(failed []failure) error {
	if len(failed) == 0 {
		return nil
	}
	failures(failed).draw(v.Stderr)
	n := 0
	for _, f := range failed {
		if !f.whole {
			n += max(1, f.more)
		}
	}
	if n == 0 {
		return fmt.Errorf("the import failed")
	}
	return fmt.Errorf("%s failed", count(n, "document"))
}

// outcome says in a line where a job stands.
func outcome(j job.Job) string {
	switch j.Kind {
	case job.Import:
		s := "import " + j.ID
		if of := origin(j); of != "" && of != "batch" { // which is what was sent with the command, mostly
			s += " (" + of + ")"
		}
		if j.Note != nil {
			return s + ": " + string(j.State) + ", " + noted(*j.Note)
		}
		return s + ": " + tally(j)
	case job.Erase:
		return "erasure of " + cmp.Or(j.DocID, "everything") + ": " + removal(j)
	case job.Reembed:
		return spaceOf(j)
	case job.Move:
		return moved(j)
	}
	s := "document " + j.DocID + ": " + string(j.State)
	switch {
	case j.Unchanged:
		s += ", unchanged"
	case !j.State.Final() && j.Stage != "":
		s += fmt.Sprintf(", at %s (%d of %d slices)", j.Stage, j.Counts.Done, j.Counts.Total)
	}
	return s
}

// noted says what is odd about a job that has not failed.
func noted(p job.Problem) string {
	s := p.Message
	if p.Code == job.FoundNothing {
		s = "but nothing was found: " + s
	}
	if p.Hint != "" {
		s += "; " + p.Hint
	}
	return s
}

// tally counts the documents of an import.
func tally(j job.Job) string {
	n := j.Counts
	parts := []string{fmt.Sprintf("%d searchable", n.Done)}
	if n.Unchanged > 0 {
		parts[0] += fmt.Sprintf(" (%d unchanged)", n.Unchanged)
	}
	if n.Failed > 0 {
		failed := fmt.Sprintf("%d failed", n.Failed)
		if n.Refused > 0 {
			failed += fmt.Sprintf(" (%d refused)", n.Refused)
		}
		parts = append(parts, failed)
	}
	if n.Cancelled > 0 {
		parts = append(parts, fmt.Sprintf("%d cancelled", n.Cancelled))
	}
	if on := n.Total - n.Done - n.Failed - n.Cancelled; !j.State.Final() && on > 0 {
		parts = append(parts, fmt.Sprintf("%d on their way", on))
	}
	return fmt.Sprintf("%s, %s: %s", j.State, count(n.Total, "document"), strings.Join(parts, ", "))
}

// removal is the receipt of an erasure.
func removal(j job.Job) string {
	e := j.Erasure
	if e == nil {
		return string(j.State)
	}
	if j.DocID == "" {
		return wholeErasure(j)
	}
	return fmt.Sprintf("%s: %s, %s, %s and %s removed, %d remaining, checked %s",
		j.State, count(e.Generations, "generation"), count(e.Vectors, "vector"), count(e.Passages, "passage"), count(e.Texts, "text"), e.Remaining, when(e.CheckedAt))
}

// problems are failures by what people call them: an import's entries have names, in the order of their lines. What is to be done about
// files that the command has read itself, it knows better than the platform.
func problems(all []job.Problem, names []named) (failed []failure) {
	for _, p := range all {
		f := failure{File: p.Stage, DocID: p.DocID, Code: p.Code, Message: said(p), Hint: p.Hint, whole: p.Stage == string(job.Import)}
		if names != nil {
			f.Hint = cmp.Or(advice[p.Code], p.Hint)
		}
		if p.DocID != "" {
			f.File = p.DocID
		} else if p.Line > 0 {
			f.File = fmt.Sprintf("line %d", p.Line)
		}
		if p.Line > 0 && p.Line <= len(names) {
			f.File = names[p.Line-1].file
		} else if i := slices.IndexFunc(names, func(n named) bool { return n.docID == p.DocID }); p.DocID != "" && i >= 0 {
			f.File = names[i].file
		}
		failed = append(failed, f)
	}
	return failed
}

// said is what a problem says, with the field that it is about.
func said(p job.Problem) string {
	if p.Field == "" || strings.HasPrefix(p.Message, p.Field) {
		return p.Message
	}
	return p.Field + ": " + p.Message
}

// failures is the table of what failed.
func failures(failed []failure) *grid {
	t := newTable(column{name: "file", most: 60}, column{name: "code", sparse: true}, column{name: "message", most: 60}, column{name: "what to do", sparse: true, most: 60})
	for _, f := range failed {
		t.add(f.File, f.Code, f.Message, f.Hint)
	}
	return t
}

// count is a number of things.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// when is a time in lists.
func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}
