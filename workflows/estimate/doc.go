// Package estimate says what a piece of work would take of models before it is begun: how many calls, tokens, characters, neurons and dollars, as it is
// expected and at most, and whether the tenant's budgets have room for that. Nothing is asked of a model, reserved or booked.
package estimate
