// Package outside makes tools of the HTTP endpoints that tenants declare (tools.http of their configuration).
//
// A tool of it sends one request for each call, with what is declared and nothing else: the arguments, and the secret that the outside server gave
// the tenant, to the declared origin alone. Each address is checked by the rules of workflows/corpus/address before it is asked, also after a
// redirect. What comes back is bounded, is held to the declared schema, and has the secret in no place; what fails has a code, and nothing that
// the server said. docs/design/tools.md has the rules.
package outside
