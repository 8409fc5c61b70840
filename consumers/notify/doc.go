// Package notify tells a tenant's server that a job of speech has ended, or that an alert fires or is resolved, by the webhook of its configuration (webhook, speech.webhook), as Standard
// Webhooks says: docs/webhooks.md has what is sent, how it is signed, and what is tried again.
package notify
