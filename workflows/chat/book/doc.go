// Package book is what keeps conversations decides, apart from where they are kept: a [Book] for one session, a
// [Shelf] for a tenant's list of them. Both work on rows inside one transaction, so the same decisions run in a
// Durable Object and in memory; [Client] and [ShelfClient] are the far ends of the wires.
//
// # Rows of a session
//
// Rows cost money where they are written, so there are few:
//
//	m             the session: who, since when, its summary, the keys of its turns, what the shelf is to know,
//	              where it came from
//	t/<turn>      one turn: what began it, how it ended, and its events, packed
//	q/<turn>/<i>  what began it, when that is longer than 256 KiB
//	o/<turn>      one fact that waits for its queue
//
// A turn whose owner tells n times, the end included, writes n + 4 rows: session and turn when it begins, the turn
// each time, the fact and its removal. An alarm is a row, too: one for the lease, one after it for the events,
// which are dropped from the turn's row [chat.ReplayLife] after its end, and one for the session's age: n + 8 in
// all. An active session shares its alarms among its turns. Replays and transcripts write nothing.
//
// # A turn's end
//
// A turn has one final event, because the book takes no event after it. Its owner brings it with the outcome; when
// the owner has not been heard of for [chat.TurnLease], the book writes one itself: by the alarm, or earlier if
// somebody asks for the turn. Its id is beyond all that the owner may have told its client, for events that run
// further ahead of the session than [chat.Ahead] are refused when they come. What had come of the answer is kept.
// An owner that comes back is told turn_over and finds the end by a replay. Events that have been dropped are
// stream_not_found, with the history as the hint: the answer is there.
//
// A turn has room for 640 KiB of packed events. News beyond it is refused, answer_too_long, and only the final
// event is taken then. A row stays below 1.9 MB whatever is said.
//
// # The past
//
// A model is shown the newest turns that fit into the window, each whole. A turn that brings outcomes of tools
// belongs to the turn that called them; of a chain of such turns about 128,000 tokens are shown, the newest. A turn
// that failed before anything was answered is not shown; what was called and never answered is left out of what is.
//
// # The end of a session
//
// A session that is deleted, or older than its retention, leaves a gravestone for [chat.ReplayLife]: if it begins
// anew the numbers of its turns go on, so that nobody who ran or follows an old one meets a new one. Then the
// object is empty.
//
// # From one pool to another
//
// A session grows only at its end, and a turn that has ended never changes. So a [chat.Parcel] of turns is the session
// of some time before, and taking one is putting its rows, session and turns, without events. The session remembers
// which version it has where it came from, and since its next turn that it has gone on by itself: then it takes no
// more. A turn is told to the queue where it was run, and nowhere else.
//
// # The shelf
//
// A session tells the shelf of itself when a turn begins and when the session ends, all that there is to know each
// time, with a version that grows. So the shelf's order is that of the turns' beginnings, within the time of one
// call, and a turn's end tells it nothing. The session calls the shelf itself, in the background of its answer: a
// queue would cost three operations and come later. A call that fails is repeated by the alarm until the shelf
// knows. What it knows is remembered without a row: a session that was evicted tells it again when its alarm
// rings, which the shelf ignores, as it does everything that is not newer than what it has. It keeps a deleted
// session's version for an hour. A note costs a request and 3 rows written, 5 with a user; the first one 2 or 3. A
// page is one range of keys.
package book
