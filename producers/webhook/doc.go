// Package webhook takes documents in from systems that call us: CloudEvents over HTTP in all three modes, signed by Standard
// Webhooks.
//
// # Which event is which
//
// An event is the same as an earlier one of its webhook when CloudEvents says so: same source, same id. The ledger remembers for a day
// which job the first one began, and a repetition is answered with it. It does not matter whether the rest is the same, too: senders
// write a new time or trace into a repetition, and the specification lets a receiver take equal source and id for the same event. A
// source that has news gives them a new id. (Only of an event that starts an import the ledger compares what is to be imported.)
//
// So a delivery may be repeated: by its sender, which got no answer, or by somebody who recorded it, for as long as its timestamp is
// young enough. The answer is the same but for the note that the events are duplicates, and nothing begins. The signature covers the
// message's id, its time and the body. In the binary mode the attributes of the event are in headers, which it does not cover. So
// the ledger remembers which event a message's id came with (corpus.Witness), and refuses the same message as another event.
//
// # What is taken when something fails
//
// Events are taken in their order. One that is wrong is named, and the others go on. When something we depend on fails, or a backlog is
// full, the whole delivery fails with that, and its repetition goes on: what had been taken is a duplicate then.
package webhook
