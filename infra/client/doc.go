// Package client calls one tenant's API as any user would. Its types are those of the contract (api/openapi.yaml), its errors
// carry the contract's codes; what the platform is too busy for is tried again, and a stream that breaks off is taken up
// where it was.
package client
