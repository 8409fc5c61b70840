// Package schema holds the JSON Schemas (draft 2020-12) of the data of every event type, and of the envelope. They
// describe what this version writes. No Worker imports it: events check themselves.
package schema
