// Package safety asks of a text whether it tries to take a model over, and says what the tenant's policy makes of that.
//
// The screen that is always there (Local) needs no model and no network: a text is normalised (case, marks, signs that look like others, hidden
// signs, encodings), the words that matter are looked up in the languages of lexicon.go, rules say which of them together are an attack, and a
// linear model over hashed words has a word in it. It was made from texts of our own, and is measured on others: docs/safety.md, which
// also says what it does not catch. Guard asks a model of Workers AI behind the same port.
//
// A Filter is what callers use: it knows where policies are asked and what they make of a verdict. Personal data is package redact's.
package safety
