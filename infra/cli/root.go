package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"levada.dev/events/fault"
	"levada.dev/infra/client"
)

// The exit codes of every command.
const (
	exitOK      = 0
	exitProblem = 1
	exitUsage   = 2
)

// modulePath is the first line of go.mod in the folder the commands work on.
const modulePath = "levada.dev"

// Execute runs the command line args, without the program's name, and returns
// the exit code. It ends early, and cleanly, when ctx does.
func Execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return execute(ctx, &globals{}, args, stdout, stderr)
}

func execute(ctx context.Context, g *globals, args []string, stdout, stderr io.Writer) int {
	var calledRight bool
	root := newRoot(g, func() { calledRight = true })
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	case !calledRight || errors.As(err, &usage):
		fmt.Fprintf(stderr, "levada: %v\nSee levada --help.\n", err)
		return exitUsage
	default:
		fmt.Fprintf(stderr, "levada: %v\n", err)
		if hint := fault.As(err).Hint; hint != "" {
			fmt.Fprintf(stderr, "  %s\n", hint)
		}
		return exitProblem
	}
}

// usageError is a problem with the arguments that a command found itself.
type usageError struct{ error }

// usagef is a usageError: the command line asked for what makes no sense.
func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// among refuses the value of a flag that is none of those it may have. The empty one means any.
func among[T ~string](flag, value string, all []T) error {
	if value == "" || slices.Contains(all, T(value)) {
		return nil
	}
	return usagef("--%s %s: is none of %s", flag, value, oneOf(all))
}

// oneOf lists what a flag may be.
func oneOf[T ~string](all []T) string {
	names := make([]string, len(all))
	for i, one := range all {
		names[i] = string(one)
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// atLeastNone refuses a --limit that is below 0.
func atLeastNone(limit int) error {
	if limit < 0 {
		return usagef("--limit %d: is below 0", limit)
	}
	return nil
}

// globals are what every command has.
type globals struct {
	root string
	http client.Doer // what the API is called by; nil for the client's own
}

// newRoot makes the command with all its subcommands. It calls start once the
// command line is known to be right, before the subcommand runs.
func newRoot(g *globals, start func()) *cobra.Command {
	root := &cobra.Command{
		Use:           "levada",
		Short:         "The event-driven AI platform: run it, build it, check it",
		Long:          "levada runs, builds and checks the platform of this checkout.\n\nExit codes: 0 fine, 1 a problem was found or the command failed, 2 wrong usage.",
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,

		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := cmd.ValidateRequiredFlags(); err != nil {
				return err // cobra itself looks only after this
			}
			start()
			return nil
		},
	}
	root.PersistentFlags().StringVar(&g.root, "root", "", "folder of the checkout (default: upwards from the working directory)")
	root.AddCommand(
		newBuild(g),
		newDev(g),
		newDemo(g),
		newBench(g), newEval(g),
		newDLQ(g),
		newReplay(g),
		newIngest(g),
		newJobs(g),
		newDocuments(g), newSearch(g),
		newErase(g), newEmbedding(g), newMove(g),
		newNew(g),
		newValidate(g), newWrangler(g),
		newKey(g), newSecret(g),
		newCommands(), newVersion(),
	)
	return root
}

// folder returns the folder of the checkout: the one given, or the nearest at or
// above the working directory.
func (g *globals) folder() (string, error) {
	start, err := filepath.Abs(g.root)
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if isCheckout(dir) {
			return dir, nil
		}
		if g.root != "" {
			return "", usagef("--root %s: no checkout of %s", g.root, modulePath)
		}
		if dir == filepath.Dir(dir) {
			return "", usagef("neither %s nor a folder above is a checkout of %s: use --root", start, modulePath)
		}
	}
}

func isCheckout(dir string) bool {
	f, err := os.Open(filepath.Join(dir, "go.mod"))
	if err != nil {
		return false
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	return lines.Scan() && strings.TrimSpace(lines.Text()) == "module "+modulePath
}
