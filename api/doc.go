// Package api is how outsiders ask: the HTTP contract of the platform.
//
// routes.go is the whole table. A request becomes a call, goes through the steps of middleware.go (who asks,
// on whose behalf, may they, do their limits allow it, is the body sound), reaches the handler of its noun (ingest.go,
// chat.go, ...) and is answered in one envelope (response.go) or as events (stream.go). Every failure has a code from one
// table (codes.go), which docs/errors.md prints. openapi.yaml describes exactly what exists, and a test holds the two
// together.
package api
