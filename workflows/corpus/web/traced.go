package web

import (
	"net/http"

	"levada.dev/events/watch"
)

// Traced tells the server that is asked the span's place in its trace, by which the request is found in the server's own logs. It is for servers that a tenant has
// named as its own; of a document's server nobody knows whose it is.
func Traced(req *http.Request, span *watch.Span) {
	if place := span.Parent().String(); place != "" {
		req.Header.Set("Traceparent", place)
	}
}
