// Package deploy brings a pool into a Cloudflare account and keeps it there: it reads what is live, plans what differs from what is wanted,
// applies that in order, and looks whether the result is well. It keeps no state of its own: names say what a resource is, tags on each
// Worker whose it is and what it was last made from, and the pool's KV which releases there were. docs/design/deploy.md tells the whole.
package deploy
