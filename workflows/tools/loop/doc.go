// Package loop lets a model have the platform's tools run, and go on with what came of them, until it answers with words: so often, for so long
// and with so many tokens as is granted. Turns of sessions and completions without one are the same here.
package loop
