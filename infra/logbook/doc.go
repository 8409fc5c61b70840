// Package logbook keeps what the Workers of the local platform log in files of bounded size, and reads it.
package logbook
