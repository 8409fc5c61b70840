// Package kv is the binding of a Workers KV namespace.
//
// KV is eventually consistent: a write is visible at other places within about a
// minute, and a read may be cached for [GetOptions].CacheTTL on top of that. Values are
// at most 25 MiB, keys 512 bytes, metadata 1,024 bytes
// (https://developers.cloudflare.com/kv/platform/limits/).
package kv
