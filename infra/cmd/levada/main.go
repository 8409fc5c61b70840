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
// the terminal has; and that nobody reads the output any more ends nothing.
func interruptible(ctx context.Context) context.Context {
	ctx, end := context.WithCancelCause(ctx)
	told := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		told = append(told, syscall.SIGHUP)
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, told...)
	go func() {
		s := <-signals
		signal.Ignore(syscall.SIGPIPE)
		signal.Reset(os.Interrupt)
		end(fmt.Errorf("told to end: %s", s))
	}()
	return ctx
}
