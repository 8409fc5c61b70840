// Package contract holds requests and answers against an OpenAPI document: Cloudflare's, which is 9 MB, under another licence, in no
// registry of packages, and so is not here. Whoever has it names it in CF_OPENAPI, and the tests of the double and of deployments use it.
// https://github.com/cloudflare/api-schemas
package contract
