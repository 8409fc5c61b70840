// Package flowtest runs flows the hard way: an [Engine] keeps what steps returned as text, lets the run die at any moment that a
// test names, starts it over from the top, and refuses a flow that does not take the same way again. [Survives] has a flow die
// at each of its moments in turn, [Starts] remembers what whoever starts flows has started, and [TestRuns] is the suite of every flow.Runs.
package flowtest
