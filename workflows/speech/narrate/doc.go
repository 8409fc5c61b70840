// Package narrate is the flow that speaks long texts: a few parts a step, so that a run that dies speaks only what is missing.
package narrate
