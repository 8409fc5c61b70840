package openmetrics

import (
	"strconv"
	"strings"
)

// Format is one of the texts.
type Format int

// The formats.
const (
	OpenMetrics Format = iota
	Prometheus
)

// ContentType is the media type of the text, with its version.
func (f Format) ContentType() string {
	if f == Prometheus {
		return "text/plain; version=0.0.4; charset=utf-8"
	}
	return "application/openmetrics-text; version=1.0.0; charset=utf-8"
}

// Accepted is the format that a header Accept prefers; OpenMetrics when it has no preference, or takes neither.
func Accepted(accept string) Format {
	if weight(accept, "text/plain", "text/*") > weight(accept, "application/openmetrics-text", "application/*") {
		return Prometheus
	}
	return OpenMetrics
}

// weight is the most that a header gives to a media type: by its name, else by its kind, else as to any.
func weight(accept, name, kind string) float64 {
	best := [3]float64{-1, -1, -1}
	for item := range strings.SplitSeq(accept, ",") {
		media, params, _ := strings.Cut(item, ";")
		at := -1
		switch media = strings.ToLower(strings.TrimSpace(media)); media {
		case name:
			at = 0
		case kind:
			at = 1
		case "*/*":
			at = 2
		}
		if at < 0 {
			continue
		}
		q := 1.0
		for p := range strings.SplitSeq(params, ";") {
			key, value, _ := strings.Cut(p, "=")
			if strings.EqualFold(strings.TrimSpace(key), "q") {
				if v, err := strconv.ParseFloat(strings.TrimSpace(value), 64); err == nil {
					q = v
				}
			}
		}
		best[at] = max(best[at], q)
	}
	for _, q := range best {
		if q >= 0 {
			return q
		}
	}
	return 0
}
