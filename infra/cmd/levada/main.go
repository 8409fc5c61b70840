// Command levada runs, builds and checks the platform; see package cli.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"levada.dev/infra/cli"
)

func main() {
	ctx := interruptible(context.Background())
	os.Exit(cli.Execute(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// interruptible returns a context that ends with the first signal to end. An interrupt after that ends the program at once:
// somebody has pressed Ctrl-C again. SIGTERM does not, however often it comes: task runners send it to every process of a run
// after the terminal has, and what is being undone is not to be left for that.
func interruptible(ctx context.Context) context.Context {
	ctx, end := context.WithCancel(ctx)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		signal.Reset(os.Interrupt)
		end()
	}()
	return ctx
}
