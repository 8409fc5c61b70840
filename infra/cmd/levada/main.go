// Command levada runs, builds and checks the platform; see package cli.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"levada.dev/infra/cli"
)

func main() {
	ctx := interruptible(context.Background())
	os.Exit(cli.Execute(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// interruptible returns a context that ends with the first signal to end, a terminal that is closed included, unless it was
// started with nohup. From then on what is being undone is left for one reason only, a further interrupt: somebody has pressed
// Ctrl-C again. SIGTERM and SIGHUP may come as often as they like, because task runners send them to every process of a run after
// the terminal has. That nobody reads the output any more ends nothing, from the start: a deployment whose pager is closed would be
// left halfway, without its undo. That signal is handled, not ignored, because what is started from here would ignore it as well.
func interruptible(ctx context.Context) context.Context {
	ctx, end := context.WithCancelCause(ctx)
	told := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		told = append(told, syscall.SIGHUP)
	}
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, told...)
	go func() {
		s := <-signals
		signal.Reset(os.Interrupt)
		end(fmt.Errorf("told to end: %s", s))
	}()
	return ctx
}
