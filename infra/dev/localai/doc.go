// Package localai stands in for Workers AI and the AI Gateway on a machine with no
// account and no network. It speaks the wire format of the platform's own AI
// binding, so the JavaScript entrypoint in infra/dev/standins is a thin client and
// the Go code in a Worker is the same in production.
//
// Embeddings come from a real, small encoder: vectors have the asked model's size,
// not its space. Generation is extractive, or passed to an OpenAI-compatible
// server, or scripted by the request itself. Speech is Flite's. docs/design/local-ai.md has the list
// of what differs from the platform.
package localai
