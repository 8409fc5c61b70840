// Package sdk holds the OpenAI wire format to those who speak it: the SDKs of Go and Node, and the libraries on top of them,
// get along with the base URL and a key alone.
package sdk
