package webhook

import (
	"mime"
	"strings"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"

	"levada.dev/events"
	"levada.dev/events/fault"
)

// MaxEvents is how many events one delivery may bring.
const MaxEvents = 1000

// The media types of the structured and the batched mode.
const (
	structuredType = "application/cloudevents+json"
	batchType      = "application/cloudevents-batch+json"
)

// read is one event of a delivery, or why it is none.
type read struct {
	event  *cloudevents.Event
	err    error
	binary bool // its attributes came in headers
}

// readEvents takes a body apart, by its content type: structured, batched or else binary. An error is about the request as a
// whole.
func readEvents(header map[string][]string, body []byte) (list []read, batch bool, err error) {
	contentType := ""
	if values := header["Content-Type"]; len(values) > 0 {
		contentType = values[0]
	}
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		media, _, _ = strings.Cut(strings.ToLower(contentType), ";")
		media = strings.TrimSpace(media)
	}
	charset := params["charset"]
	utf8 := charset == "" || strings.EqualFold(charset, "utf-8") || strings.EqualFold(charset, "us-ascii")
	switch {
	case media == structuredType && err == nil && utf8:
		ev, err := events.DecodeForeign(body)
		return []read{{event: ev, err: err}}, false, nil
	case media == batchType && err == nil && utf8:
		list, err := readBatch(body)
		return list, true, err
	case strings.HasPrefix(media, "application/cloudevents") || !events.IsBinary(header):
		return nil, false, fault.Invalidf("content-type", "unsupported_media_type", "%.80q is no form of an event that is read here", contentType).
			WithHint("send " + structuredType + " or " + batchType + " in UTF-8, or an event in ce- headers with its data as the body")
	}
	ev, err := events.DecodeBinary(header, body)
	return []read{{ev, err, true}}, false, nil
}

func readBatch(body []byte) ([]read, error) {
	parts, err := events.SplitBatch(body, MaxEvents)
	if err != nil {
		return nil, err
	}
	list := make([]read, len(parts))
	for i, part := range parts {
		list[i].event, list[i].err = events.DecodeForeign(part)
	}
	return list, nil
}
