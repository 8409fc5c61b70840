// Package transfer moves a tenant from one pool to another: a run in the destination compares what both have, brings what differs through
// the usual pipeline, and in the end finds nothing that does. Nothing is shared but HTTP. See docs/design/transfer.md.
package transfer
