// Command mcp is the entry point of the role that speaks the Model Context Protocol, for the API alone.
package main

import (
	"levada.dev/infra/cloudflare/isolate"
	"levada.dev/infra/mcp"
)

func main() {
	isolate.HandleHTTP(mcp.Handler())
	isolate.Run()
}
