//go:build !amd64

package encoder

var kernel = portable
