// Package otlp writes spans as OTLP's JSON (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding), which every collector takes by OTLP/HTTP at
// /v1/traces: ids in hexadecimal digits, times and whole numbers as texts, enumerations as numbers. Attributes have the names of OpenTelemetry's semantic conventions
// where there are such, else names that begin with levada.
package otlp
