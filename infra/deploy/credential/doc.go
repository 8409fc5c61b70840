// Package credential turns references to API tokens into tokens, and references to files of secrets into texts. Configuration has
// references only; a secret is read when it is needed, once, is kept in memory, and shows itself to nobody who prints, logs or encodes it.
package credential
