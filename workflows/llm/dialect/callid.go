package dialect

import "strconv"

// CallID is the id of a call of a tool that the model gave none: from the id of the answer, if there is one, and the call's
// place in it.
func CallID(answer string, index int) string {
	if answer == "" {
		return "call_" + strconv.Itoa(index)
	}
	return "call_" + answer + "_" + strconv.Itoa(index)
}
