// Package redact finds personal data and secrets in a text, and puts the name of their kind in their place: "mail ada@example.com" becomes
// "mail [EMAIL]".
//
// It knows forms that can be checked: mail addresses, telephone numbers, payment cards by Luhn, IBAN by its check digits, addresses of networks,
// national numbers, keys by their prefixes, dates of birth where the text says that they are. Names and addresses of people are not found.
// What it finds in which sample, and what it takes wrongly: docs/safety.md.
//
// Everything is decided by hand-written scanners in one pass; nothing is compiled or allocated when the package is loaded.
package redact
