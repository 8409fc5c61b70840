// Package cachetest is the suite that every cache.Store runs, in memory and on the real thing.
package cachetest
