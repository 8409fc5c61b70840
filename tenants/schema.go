package tenants

import _ "embed"

//go:embed tenant.schema.json
var schemaJSON string

//go:embed deploy.schema.json
var deploySchemaJSON string

// Schema is the JSON Schema (draft 2020-12) of a configuration. The Worker does not need it: Parse checks the same.
func Schema() []byte { return []byte(schemaJSON) }

// DeploySchema is the JSON Schema of deploy.json, which says where the pools of tenants are deployed. infra/deploy/target reads it.
func DeploySchema() []byte { return []byte(deploySchemaJSON) }
