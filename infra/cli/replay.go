package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"levada.dev/events/fault"
	"levada.dev/infra/client"
	"levada.dev/workflows/letters"
)

type replayOptions struct {
	Platform          platformOptions
	Filter            letterFilter
	IDs               []string
	DryRun, Yes, JSON bool
	Stdin             io.Reader
	Stdout, Stderr    io.Writer
}

func newReplay(g *globals) *cobra.Command {
	var o replayOptions
	cmd := &cobra.Command{
		Use:   "replay [ID...]",
		Short: "Send dead letters again",
		Long: "Sends dead letters again that were not yet: those named, or all that match the filters. A document is processed anew, from what\n" +
			"it was submitted with; any other message goes out as it was. It says first how many there are, and asks. Each letter goes out\n" +
			"once, so an interrupted replay may be repeated.\n\nExits with 1 when some letters cannot be sent again.",
		Example: "  levada replay --dry-run\n  levada replay --reason model_unavailable --since 24h\n  levada replay --stage embed --yes\n  levada replay embed-85a9ebcbe25bcb7e53231e46",
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.IDs, o.Stdin, o.Stdout, o.Stderr = args, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()
			return o.run(cmd.Context())
		},
	}
	o.Platform.bind(g, cmd)
	f := cmd.Flags()
	o.Filter.bind(cmd)
	f.BoolVar(&o.DryRun, "dry-run", false, "count only")
	f.BoolVar(&o.Yes, "yes", false, "do not ask")
	f.BoolVar(&o.JSON, "json", false, "print JSON")
	return cmd
}

func (o *replayOptions) run(ctx context.Context) error {
	q, err := o.Filter.query(time.Now())
	if err != nil {
		return err
	}
	if q.IDs = o.IDs; q.Check() != nil {
		return usagef("the letters' ids: %s", fault.As(q.Check()).Message)
	}
	return o.Platform.run(ctx, func(ctx context.Context, c *client.Client) error {
		count, err := c.CountReplay(ctx, q)
		if err != nil {
			return err
		}
		if o.DryRun || count.Matched == 0 {
			return o.counted(count)
		}
		if !o.JSON {
			countLetters(o.Stdout, *count.Count)
		}
		if sure, err := o.sure(count.Matched); err != nil || !sure {
			return err
		}
		return o.replay(ctx, c, q, count.Matched)
	})
}

// counted says what there is, and that is all.
func (o *replayOptions) counted(count letters.Replayed) error {
	switch {
	case o.JSON:
		return indented(o.Stdout, count)
	case count.Matched == 0:
		fmt.Fprintln(o.Stdout, "nothing to replay")
	default:
		countLetters(o.Stdout, *count.Count)
	}
	return nil
}

// sure asks, unless the answer was given before.
func (o *replayOptions) sure(n int) (bool, error) {
	if o.Yes {
		return true, nil
	}
	if in, ok := o.Stdin.(*os.File); ok && !term.IsTerminal(int(in.Fd())) {
		return false, errNobody
	}
	fmt.Fprintf(o.Stderr, "Send %s again? [y/N] ", plural(n, "letter"))
	answer, err := bufio.NewReader(o.Stdin).ReadString('\n')
	switch {
	case err == io.EOF && answer == "":
		return false, errNobody
	case err != nil && err != io.EOF:
		return false, err
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return true, nil
	}
	fmt.Fprintln(o.Stderr, "nothing was sent")
	return false, nil
}

var errNobody = usagef("nobody is there to be asked, and nothing was sent: say --yes, or --dry-run")

// replayAtOnce is how many letters a call sends again: few enough that the bar moves.
const replayAtOnce = 100

// replay calls until all letters have had their turn. What stops a call is met again by the next one, which fails if it lasts.
func (o *replayOptions) replay(ctx context.Context, c *client.Client, q letters.Query, matched int) error {
	bar := progressbar.NewOptions(matched,
		progressbar.OptionSetWriter(o.Stderr), progressbar.OptionSetDescription("replaying"), progressbar.OptionShowCount(),
		progressbar.OptionSetWidth(30), progressbar.OptionSetPredictTime(true))
	total := letters.Replayed{Matched: matched, Skipped: []letters.Skipped{}}
	for {
		out, err := c.Replay(ctx, q, total.Next, replayAtOnce)
		if err != nil {
			return fmt.Errorf("%d of %s sent again: %w", total.Replayed, plural(matched, "letter"), err)
		}
		total.Replayed += out.Replayed
		total.Skipped, total.Remaining, total.Next = append(total.Skipped, out.Skipped...), out.Remaining, out.Next
		_ = bar.Set(min(matched, total.Replayed+len(total.Skipped))) // fails where the terminal does
		if out.Next == "" && out.Stopped == "" {
			_ = bar.Finish()
			fmt.Fprintln(o.Stderr)
			return o.done(total)
		}
	}
}

// done says what came of it.
func (o *replayOptions) done(total letters.Replayed) error {
	if o.JSON {
		if err := indented(o.Stdout, total); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(o.Stdout, "%s sent again\n", plural(total.Replayed, "letter"))
	}
	if len(total.Skipped) == 0 {
		return nil
	}
	if !o.JSON {
		t := newTable("letter", "reason", "")
		for _, s := range total.Skipped {
			t.add(s.ID, s.Code, s.Message)
		}
		t.draw(o.Stdout)
	}
	return fmt.Errorf("%s cannot be sent again", plural(len(total.Skipped), "letter"))
}
