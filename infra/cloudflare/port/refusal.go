package port

import (
	"strconv"
	"strings"
)

// refusals are the codes with which Vectorize answers a call that it will never take: too many vectors or ids, an id,
// a namespace, dimensions, metadata, a topK or a filter that is not allowed.
var refusals = []int{40006, 40007, 40008, 40009, 40012, 40016, 40023, 40025, 40026, 40027, 40028}

// indexCode is the code in the message of an error of the Vectorize binding, "VECTOR_QUERY_ERROR (code = 40025): ...",
// or 0.
func indexCode(message string) int {
	_, rest, _ := strings.Cut(message, "(code = ")
	digits, _, found := strings.Cut(rest, ")")
	code, err := strconv.Atoi(digits)
	if !found || err != nil {
		return 0
	}
	return code
}
