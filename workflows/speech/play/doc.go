// Package play reads what was spoken as the file that it makes: a header and the parts one after the other, which are nowhere joined.
package play
