// Package logbooktest holds logs to their schema, docs/logs.schema.json, and to what must not be in them.
package logbooktest
