// Package console is the operator's view of a tenant in a browser: plain modules that ask the API, as anybody may who holds the key.
// docs/design/console.md says how it is built, served and tested, and how a page is added. What is served are the pages beside this
// file, what is below app, and the modules that vendor.json names; package build gathers them.
package console
