package client_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"levada.dev/infra/client"
)

func TestDollars(t *testing.T) {
	for nanos, want := range map[int64]string{
		0: "$0.000000", 499: "$0.000000", 500: "$0.000001", 1_000: "$0.000001", 12_345_678_901: "$12.345679", 12_999_999_500: "$13.000000",
		-1_000: "-$0.000001", -12_345_678_901: "-$12.345679",
	} {
		assert.Equal(t, want, client.Dollars(nanos), nanos)
	}
}
