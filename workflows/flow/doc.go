// Package flow is what runs at length and must survive: the port between a flow's code and whatever makes it durable.
//
// A flow is a function over a [Run]. It starts over from the top after a crash or a long wait, and steps that have ended
// answer from what was kept. So the code between steps is deterministic (no clock, no randomness, no I/O outside a step),
// names are constants or count something that a step returned, and a step, which runs at least once, may run again after
// its effect. Steps are billed, waits included, so they are coarse.
package flow
