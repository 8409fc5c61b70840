// Package port is the ports of the domain on Cloudflare's bindings. An adapter here translates names, bytes and
// failures, and decides nothing; the suites that the in-memory ports pass run against it on real workerd.
package port
