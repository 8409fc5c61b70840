package api

import (
	_ "embed"
	"net/http"
)

// openAPIDocument is openapi.yaml as JSON; TestOpenAPIJSON writes it, so that no Worker carries a YAML parser.
//
//go:embed openapi.json
var openAPIDocument []byte

// openAPI answers the contract itself, which any page may read.
func openAPI(c *call) error {
	h := c.w.Header()
	h.Set("Content-Type", jsonType)
	h.Set("Cache-Control", "public, max-age=300")
	h.Set("Access-Control-Allow-Origin", "*")
	c.send(http.StatusOK, openAPIDocument)
	return nil
}
