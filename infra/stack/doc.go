// Package stack describes the whole deployment in one typed table: Workers and
// their bindings, queues with their delivery settings, Durable Object classes,
// Workflows, stores and vector indexes.
//
// Every setting is named as Cloudflare names it and holds the production value.
// The local platform (infra/dev) is generated from this table, and so is a
// deployment; neither has a setting of its own about what exists. Validate
// refuses a table that Cloudflare would refuse, or that refers to something
// that is not there, before anything is built or started.
package stack
