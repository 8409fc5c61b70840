// Package account is the API of one Cloudflare account, on cloudflare-go, with the sharp edges taken off: one token and nothing that the
// environment says, retries that repeat nothing that may have had its effect, waits that end with their context, the envelope's own word on
// success, escaped paths, modules as the API wants them.
package account
