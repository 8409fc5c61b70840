// Package chat is conversations: a message in, an answer out, token by token, that survives its client.
//
// A turn is one message and its answer. Its events are told to the client as they come and kept by the session, so that a
// client that was cut off resumes where it was. The turn itself runs where the request came in, and goes on
// when the client leaves; the session only keeps what it is told, and ends a turn that nobody runs any more.
package chat
