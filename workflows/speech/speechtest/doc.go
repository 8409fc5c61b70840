// Package speechtest has the suites that ports of speech obey.
package speechtest
