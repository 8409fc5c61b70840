// Package metertest has the suite that everything obeys which keeps what is counted, and what tests count with.
package metertest
