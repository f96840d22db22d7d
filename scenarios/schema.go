package scenarios

import _ "embed"

//go:embed scenario.schema.json
var schema string

// Schema is the JSON Schema of scenario files, for editors. A test makes it from the types, their comments, and the
// faults, roles and drivers that there are.
func Schema() string { return schema }
