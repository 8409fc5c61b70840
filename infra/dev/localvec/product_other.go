//go:build !amd64

package localvec

var product = portable
