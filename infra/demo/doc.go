// Package demo shows the platform at work on real text that every Go developer has: the documentation of
// the standard library, read from the local Go installation. It ingests it for one tenant, asks questions, shows
// the passages found with their sources, and shows that another tenant finds nothing. It has tools run, for callers and before
// a turn, and verifies the trail that they are in. Then it talks with the tenant's model about the documents and shows what that cost.
package demo
