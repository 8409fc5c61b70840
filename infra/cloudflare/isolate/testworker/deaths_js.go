package main

import (
	"fmt"
	"net/http"
	"os"
	"runtime"
	"syscall/js"
)

func deathRoutes(mux *http.ServeMux) {
	mux.HandleFunc("/panic", func(w http.ResponseWriter, r *http.Request) { panic("a handler's panic") })
	mux.HandleFunc("/goexit", func(w http.ResponseWriter, r *http.Request) { runtime.Goexit() })
	mux.HandleFunc("/die", func(w http.ResponseWriter, r *http.Request) { die(w, text(r, "how")) })
}

// die kills the instance; it does not return.
func die(w http.ResponseWriter, how string) {
	switch how {
	case "panic":
		go panic("in a bare goroutine")
	case "nilmap":
		go func() {
			var m map[string]int
			m["x"] = 1 //lint:ignore SA5000 it has to die
		}()
	case "exit":
		os.Exit(3)
	case "stack":
		fmt.Fprint(w, recurse(0))
	case "memory":
		var keep [][]byte
		for {
			b := make([]byte, 64<<20)
			b[len(b)-1] = 1
			keep = append(keep, b)
			runtime.KeepAlive(keep)
		}
	case "deadlock": // a js.Func that blocks: the event loop cannot go on
		js.FuncOf(func(js.Value, []js.Value) any { <-make(chan int); return nil }).Invoke()
	case "getter": // syscall/js does not catch what a getter throws
		fmt.Fprint(w, js.Global().Get("thrower").Get("x").String())
	}
	select {}
}

func recurse(n int) int {
	var a [64]int
	a[n%64] = n
	//lint:ignore SA5007 it has to die
	return recurse(n+1) + a[(n+1)%64]
}
