package schema

import (
	"embed"
	"io/fs"
)

//go:embed *.json
var files embed.FS

// Envelope is the name of the envelope's schema, for Of.
const Envelope = "envelope"

// Of is the schema of an event type, or of the envelope.
func Of(typ string) ([]byte, error) { return files.ReadFile(typ + ".json") }

// FS is every schema, as <type>.json.
func FS() fs.FS { return files }
