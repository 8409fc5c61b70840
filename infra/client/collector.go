package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"levada.dev/events/trace/otlp"
)

// Collector takes OTLP by HTTP: https://opentelemetry.io/docs/specs/otlp/#otlphttp.
type Collector struct {
	url    string
	header http.Header
	http   Doer
}

// NewCollector makes one of its address, which without a path means /v1/traces, as collectors have it, and of the headers that it wants. Without a Doer it has a client of its own.
func NewCollector(address string, header http.Header, do Doer) (*Collector, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%s: is no address of a collector, such as http://127.0.0.1:4318", address)
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = "/v1/traces"
	}
	c := &Collector{url: u.String(), header: http.Header{}, http: do}
	maps.Copy(c.header, header)
	c.header.Set("Content-Type", otlp.ContentType)
	if do == nil {
		c.http = &http.Client{Transport: NewTransport(), Timeout: 30 * time.Second}
	}
	return c, nil
}

// URL is where it is posted to.
func (c *Collector) URL() string { return c.url }

// patience of an export: so often, and so long between.
const (
	exportTries = 5
	exportPause = time.Second
)

// errBusy is a collector's answer after which it is to be asked again.
var errBusy = errors.New("asked again in vain")

// Export hands over what is to be exported, OTLP in JSON. Who is busy is asked again, each time after twice as long.
func (c *Collector) Export(ctx context.Context, body []byte) (err error) {
	for try := range exportTries {
		if try > 0 {
			if err := Sleep(ctx, exportPause<<(try-1)); err != nil {
				return err
			}
		}
		if err = c.once(ctx, body); !errors.Is(err, errBusy) {
			return err
		}
	}
	return err
}

func (c *Collector) once(ctx context.Context, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header = c.header.Clone()
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return fmt.Errorf("%s: %w", c.url, err)
	}
	switch resp.StatusCode {
	case http.StatusOK:
		return refusedSpans(said)
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return fmt.Errorf("%s: %s, %w", c.url, resp.Status, errBusy)
	}
	return fmt.Errorf("%s: %s: %s", c.url, resp.Status, bytes.TrimSpace(said[:min(len(said), 300)]))
}

// refusedSpans is what a collector has not taken of what it was given.
func refusedSpans(said []byte) error {
	var answer struct {
		PartialSuccess struct {
			Rejected json.Number `json:"rejectedSpans"` // a number, or one in quotes: an int64
			Message  string      `json:"errorMessage"`
		} `json:"partialSuccess"`
	}
	if json.Unmarshal(said, &answer) != nil { // it need not say anything
		return nil
	}
	if n := answer.PartialSuccess.Rejected.String(); n != "" && n != "0" {
		return fmt.Errorf("the collector refused %s spans: %s", n, answer.PartialSuccess.Message)
	}
	return nil
}
