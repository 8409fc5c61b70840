// Package logline writes log records as one line of JSON each: the bytes of slog.JSONHandler, in two thirds of its time, and without personal data:
// wherever a mail address, a number of a card, a key or an address of the web stands in a message or a value, whoever wrote it there, its kind is written instead.
package logline
