package chat

import (
	"strconv"
	"strings"

	"levada.dev/events/fault"
)

// StreamID names the events of one turn: the session's id, a dot and the number of the turn.
type StreamID string

// NewStreamID names a turn.
func NewStreamID(session string, turn int) StreamID {
	return StreamID(session + "." + strconv.Itoa(turn))
}

// Split is the session and the number of the turn. What is no name of a turn is fault.NotFound, code stream_not_found.
func (id StreamID) Split() (session string, turn int, err error) {
	session, number, _ := strings.Cut(string(id), ".")
	turn, err = strconv.Atoi(number)
	if err != nil || turn < 1 || CheckSessionID(session) != nil || NewStreamID(session, turn) != id {
		return "", 0, fault.Missing("stream_not_found", "there is no such stream")
	}
	return session, turn, nil
}

const follow = "follow GET /chat/streams/"

// Busy is the fault of a turn that cannot begin because another one is running.
func Busy(running StreamID) *fault.Error {
	return fault.New(fault.Conflict, "turn_in_progress", "another turn of the session is running", nil).
		WithHint(follow + string(running) + " to its end, then send the message again")
}

// BusyWith is the running turn of such a fault, which may have come a long way.
func BusyWith(err error) (StreamID, bool) {
	f := fault.As(err)
	rest, found := strings.CutPrefix(f.Hint, follow)
	id, _, _ := strings.Cut(rest, " ")
	return StreamID(id), found && f.Code == "turn_in_progress"
}

// maxSessionID leaves room for the rest of an object's name.
const maxSessionID = 128

// CheckSessionID reports whether a session may have the id: 1 to 128 letters, digits, "-" and "_".
func CheckSessionID(id string) error {
	ok := id != "" && len(id) <= maxSessionID
	for i := 0; ok && i < len(id); i++ {
		c := id[i]
		ok = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_'
	}
	if !ok {
		return fault.Invalidf("sessionId", "invalid_value", "is not 1 to 128 letters, digits, - and _")
	}
	return nil
}
