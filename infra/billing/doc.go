// Package billing takes what a tenant's ledger of money has to tell into its outbox, as events.
package billing
