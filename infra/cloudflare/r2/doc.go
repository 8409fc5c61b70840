// Package r2 is the binding of an R2 bucket.
//
// R2 is strongly consistent. Keys are at most 1,024 bytes; conditions
// ([Condition]) make reads and writes safe against concurrent change
// (https://developers.cloudflare.com/r2/api/workers/workers-api-reference/).
package r2
