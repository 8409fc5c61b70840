// Package book is what a tenant's object Speech decides: which jobs there are, which takes they wait for, who makes those, and until when all of
// it is kept. It is speech.Desk and speech.Booth on ordered rows inside a transaction; [Client] is its far end.
//
// Rows cost money where they are written, so there are few:
//
//	j/<job>             one request: its take
//	t/<digest>/<number> one take, without what is long
//	b/<take>            its text, until it has ended
//	c/<take>            where its text is cut, if that is in many places
//	p/<take>            what was spoken of it
//	a/<take>/<job>      that the job waits for the take, or has its sound
//	w/<number>          one take that waits for its turn
//	room                which takes are being made, and how many wait
//	g/<time>/<take>     when what was spoken of the take is to be removed
//	f/<time>/<id>       when a take, or a job that was cancelled, is forgotten
//	i/<day>/<key>       one idempotency key, by the day it was taken
//	o/<name>            one event that waits for its queue
//
// A job of one part that comes alone writes fifteen rows until it has ended, its events' removal from the outbox among them, and eight until it is
// forgotten. A further part writes one. A job that shares a take writes three or four: itself, that it waits, and the take, or its event and that one's
// removal; three more where what is there is to be kept longer. A key is one more.
package book
