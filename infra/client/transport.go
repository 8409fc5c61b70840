package client

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"
)

// NewTransport makes the transport of clients: 64 idle connections, no limit to how long a stream may last, and an answer that comes
// while the request is still being sent is seen, also when the platform closes the connection behind it.
func NewTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: 30 * time.Second}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 64, IdleConnTimeout: 90 * time.Second, ResponseHeaderTimeout: 90 * time.Second,
		ForceAttemptHTTP2: true, // which a DialContext would turn off
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &heardConn{Conn: c, closed: make(chan struct{})}, nil
		},
	}
}

// heardConn is a connection whose last words are heard. A server that refuses an upload answers, and closes before it has read everything: the
// next write fails, and a transport that is told so forgets the connection with the answer that has arrived on it. So a write tells of it
// when the transport has read what there was and closes the connection; that does not take long, as there is nobody at the other end any more.
type heardConn struct {
	net.Conn
	once   sync.Once
	closed chan struct{}
}

// lastWords is how long a write waits at most for them to be read.
const lastWords = 5 * time.Second

// Write implements net.Conn.
func (c *heardConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) {
		timer := time.NewTimer(lastWords)
		defer timer.Stop()
		select {
		case <-c.closed:
		case <-timer.C:
		}
	}
	return n, err
}

// Close implements net.Conn.
func (c *heardConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}
