// Package credential turns references to API tokens into tokens. Configuration has references only; a token is read when it is needed, once,
// is kept in memory, and shows itself to nobody who prints, logs or encodes it.
package credential
