package double

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// Serve serves a handler, the API's or its Site's, on a port of this machine, also for other processes, until stop is called.
func Serve(h http.Handler) (url string, stop func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	return "http://" + listener.Addr().String(), func() {
		_ = server.Shutdown(context.Background())
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			panic(err)
		}
	}, nil
}
