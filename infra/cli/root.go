package cli

import (
	"bufio"
	"cmp"
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

// The exit codes of deploy, plan, drift, rollback and status. They say what became of the pools, so that 2 is no wrong usage there: that is
// exitProblem, as a wrong configuration is. Of several that fit it is the one that asks for the most: stuck, interrupted, refused, rolled
// back, failed.
const (
	exitChanges     = 2 // changes are pending: plan, drift, --dry-run
	exitFailed      = 3 // some pool failed
	exitRolledBack  = 4 // some pool failed and was rolled back
	exitRefused     = 5 // some pool was refused
	exitStuck       = 6 // some pool could not be rolled back: somebody has to look
	exitInterrupted = 130
)

// codesHelp says so in the help of those commands.
const codesHelp = `Exit codes: 0 done, or nothing to do; 1 wrong usage or configuration, and nothing was asked of an account; 2 changes are pending
(plan, drift, --dry-run); 3 some pool failed; 4 failed and was rolled back; 5 was refused; 6 could not be rolled back: somebody has to
look; 130 interrupted, after what was being rolled out was rolled back.`

// ownCodes annotates a command that has those.
const ownCodes = "exit codes"

// exitError ends a command with an exit code of its own. Without an error all has been said.
type exitError struct {
	code int
	error
}

// Unwrap makes the cause known to errors.As.
func (e exitError) Unwrap() error { return e.error }

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
	if g.stdin != nil {
		root.SetIn(g.stdin)
	}
	cmd, err := root.ExecuteContextC(ctx)
	stderr = g.covered(stderr)
	var usage usageError
	var exit exitError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &exit) && exit.error == nil:
		return exit.code
	case !calledRight || errors.As(err, &usage):
		return misused(cmd, err, stderr)
	default:
		fmt.Fprintf(stderr, "levada: %v\n", err)
		if hint := fault.As(err).Hint; hint != "" {
			fmt.Fprintf(stderr, "  %s\n", hint)
		}
		return cmp.Or(exit.code, exitProblem)
	}
}

// misused says how a command line is wrong.
func misused(cmd *cobra.Command, err error, stderr io.Writer) int {
	if _, own := cmd.Annotations[ownCodes]; own {
		fmt.Fprintf(stderr, "levada: %v\nSee %s --help.\n", err, cmd.CommandPath())
		return exitProblem
	}
	fmt.Fprintf(stderr, "levada: %v\nSee levada --help.\n", err)
	return exitUsage
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
	root  string
	http  client.Doer              // what the API is called by; nil for the client's own
	stdin io.Reader                // os.Stdin when nil
	cloud cloud                    // what deployments speak to
	cover func(text string) string // covers the secrets that were read; nil while there are none
}

// newRoot makes the command with all its subcommands. It calls start once the
// command line is known to be right, before the subcommand runs.
func newRoot(g *globals, start func()) *cobra.Command {
	root := &cobra.Command{
		Use:   "levada",
		Short: "The event-driven AI platform: run it, build it, check it, deploy it",
		Long: "levada runs, builds, checks and deploys the platform of this checkout.\n\nExit codes: 0 fine, 1 a problem was found or the command failed, 2 wrong usage.\n" +
			"deploy, plan, drift, rollback and status have their own, which their help lists.",
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
		newLogs(g), newTraces(g), newMetrics(g),
		newBench(g), newEval(g),
		newDLQ(g),
		newReplay(g),
		newAudit(g),
		newIngest(g),
		newJobs(g),
		newDocuments(g), newSearch(g), newSpeak(g),
		newErase(g), newEmbedding(g), newMove(g), newExport(g),
		newNew(g),
		newDeploy(g), newPlan(g), newDrift(g), newRollback(g), newStatus(g),
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
