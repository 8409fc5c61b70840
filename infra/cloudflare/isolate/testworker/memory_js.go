package main

import (
	"net/http"
	"runtime"
	"runtime/debug"
)

// block is a piece of memory that the collector has to look into.
type block struct {
	next *block
	_    [120]uint64
}

const blocksOfMiB = 1 << 20 / 1024

// chain is so many MiB of blocks.
func chain(mib int) (head *block) {
	for range mib * blocksOfMiB {
		head = &block{next: head}
	}
	return head
}

var dropped *block

func memoryRoutes(mux *http.ServeMux) {
	// So many MiB are alive while so many others are allocated and dropped, all in one turn: it tells the collections of that.
	mux.HandleFunc("/garbage", func(w http.ResponseWriter, r *http.Request) {
		alive := chain(number(r, "alive"))
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range number(r, "garbage") {
			dropped = chain(1)
			runtime.Gosched() // as those do who wait for each other
		}
		dropped = nil
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(alive)
		reply(w, map[string]any{"collections": after.NumGC - before.NumGC, "limitMiB": debug.SetMemoryLimit(-1) >> 20}, nil)
	})
}
