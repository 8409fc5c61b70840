// Package trail is the record of what was done in a tenant's name, as a chain: each entry has the hash of the one before, so that none can be
// changed, taken out or put elsewhere without being noticed by whoever has noted a later hash. It has what an entry of the chain is, and how
// it is asked for; package book decides what an object keeps of it, package verify holds a chain to its hashes.
package trail
