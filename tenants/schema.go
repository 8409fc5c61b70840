package tenants

import _ "embed"

//go:embed tenant.schema.json
var schemaJSON string

// Schema is the JSON Schema (draft 2020-12) of a configuration. The Worker does not need it: Parse checks the same.
func Schema() []byte { return []byte(schemaJSON) }
