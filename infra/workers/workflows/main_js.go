// Command workflows is the entry point of the role that hosts the Workflow classes. There is none yet: the role is
// deployed so that its bindings and its size are part of the stack from the start.
package main

import "levada.dev/infra/cloudflare/isolate"

func main() { isolate.Run() }
