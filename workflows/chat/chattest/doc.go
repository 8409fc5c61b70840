// Package chattest is the suite of what keeps conversations, in memory and on the real thing. It makes names of its own for
// each run and always has two tenants who use the same ones. What depends on time is tested where time can be set.
package chattest
