// Command stock is the benchmark's route on the stock glue of github.com/syumai/workers: a Go instance for each request.
package main
