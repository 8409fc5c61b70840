// Package front is the wiring of the role that answers HTTP. It is apart from that of the others because a Worker has in it what the
// packages that it imports begin with, used or not: of package api, the tables of all requests.
package front
