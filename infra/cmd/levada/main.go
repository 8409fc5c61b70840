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
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(cli.Execute(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
