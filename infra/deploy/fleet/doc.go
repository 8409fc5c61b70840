// Package fleet works on many pools at once: it opens their accounts, looks whether each token is good and leads where it should, plans
// and applies in waves, as many pools at a time as it is told, and no faster than the API takes it. Two deployments of one pool never run
// at the same time on one machine.
package fleet
