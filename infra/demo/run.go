package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"levada.dev/infra/client"
	"levada.dev/workflows/job"
)

// Show is what the demo does and with whom.
type Show struct {
	Owner        *client.Client // whose documents they are
	Other        *client.Client // who must not find them
	Fewer        *client.Client // who has not all of the owner's tools
	Pages        []Page
	Questions    []string
	Conversation []client.Turn
	Audio        string    // the file that an answer is spoken to
	Out          io.Writer // what the demo says
	Bar          io.Writer // where progress is drawn
}

// Questions is what the demo asks when nobody else does.
var Questions = []string{
	"How do I cancel work when a deadline passes?",
	"How do I read the files in a zip archive?",
	"How is untrusted text made safe in an HTML page?",
	"How can I find out where my program spends its time?",
}

// Run ingests, asks, has tools run, talks, speaks and shows. It fails when a document does not become searchable, a question finds
// nothing, a turn breaks off, what is spoken cannot be heard, what was used is not booked, a turn leaves no trace, a call is not refused or not on record as it has to be, or the other tenant finds anything.
func (s Show) Run(ctx context.Context) error {
	start := time.Now()
	if err := s.ingest(ctx); err != nil {
		return err
	}
	fmt.Fprintf(s.Out, "\n%d documents searchable in %s.\n", len(s.Pages), time.Since(start).Round(100*time.Millisecond))
	for _, q := range s.Questions {
		if err := s.ask(ctx, q); err != nil {
			return err
		}
	}
	if err := s.isolation(ctx); err != nil {
		return err
	}
	if err := s.tools(ctx); err != nil {
		return err
	}
	return s.converse(ctx)
}

// ingest hands all pages in as one import and follows it to its end.
func (s Show) ingest(ctx context.Context) error {
	in, err := s.Owner.IngestBatch(ctx, client.Batch{Documents: func(yield func(client.Document) bool) {
		for _, p := range s.Pages {
			if !yield(p.document()) {
				return
			}
		}
	}})
	if err != nil {
		return err
	}
	bar := progressbar.NewOptions(len(s.Pages),
		progressbar.OptionSetWriter(s.Bar),
		progressbar.OptionSetDescription("ingesting"),
		progressbar.OptionShowCount(),
		progressbar.OptionSetWidth(30),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionThrottle(100*time.Millisecond),
	)
	j, err := s.Owner.Follow(ctx, in.JobID, func(j job.Job) { _ = bar.Set(j.Counts.Done) })
	if err != nil {
		return err
	}
	if j.State != job.Succeeded || j.Counts.Done != len(s.Pages) {
		return fmt.Errorf("import %s %s: %d of %d documents are searchable: %v", j.ID, j.State, j.Counts.Done, len(s.Pages), j.Errors)
	}
	return bar.Finish()
}

// until asks again and again until it is done, for a minute: that is when what is missing is worth an error.
func until(ctx context.Context, missing string, done func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Minute, errors.New(missing))
	defer cancel()
	for {
		is, err := done(ctx)
		if is || err != nil {
			return err
		}
		if err := client.Sleep(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
}

func (p Page) document() client.Document {
	return client.Document{
		DocID: p.DocID(), Text: string(p.Markdown), ContentType: "text/markdown",
		Title: "package " + p.Import, Source: "go doc", URL: p.URL(),
		Metadata: map[string]any{"kind": "godoc"},
	}
}

func (s Show) ask(ctx context.Context, q string) error {
	f, err := s.Owner.Search(ctx, q, 3)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.Out, "\n? %s   (%.0f ms)\n", q, f.Timings["totalMs"])
	if len(f.Sources) == 0 {
		return fmt.Errorf("%q found nothing", q)
	}
	for i, src := range f.Sources {
		fmt.Fprintf(s.Out, "  %d. %s   score %.2f   %s\n", i+1, src.Title, src.Score, src.URL)
		fmt.Fprintf(s.Out, "     %s\n", excerpt(src.Text, 280))
	}
	return nil
}

func (s Show) isolation(ctx context.Context) error {
	fmt.Fprintf(s.Out, "\nThe same questions from tenant %s:\n", s.Other.Tenant())
	for _, q := range s.Questions {
		f, err := s.Other.Search(ctx, q, 3)
		if err != nil {
			return err
		}
		seen := 0
		for _, src := range f.Sources {
			if strings.HasPrefix(src.DocID, "go.") {
				seen++
			}
		}
		fmt.Fprintf(s.Out, "  ? %s   %d passages of %s\n", q, seen, s.Owner.Tenant())
		if seen > 0 {
			return fmt.Errorf("tenant %s sees documents of tenant %s", s.Other.Tenant(), s.Owner.Tenant())
		}
	}
	return nil
}

// excerpt is the beginning of a text on one line, cut at a word.
func excerpt(text string, limit int) string {
	line := strings.Join(strings.Fields(text), " ")
	if len(line) <= limit {
		return line
	}
	if i := strings.LastIndexByte(line[:limit], ' '); i > 0 {
		return line[:i] + " ..."
	}
	return strings.ToValidUTF8(line[:limit], "") + " ..."
}
