package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"levada.dev/events/fault"
	"levada.dev/events/trace"
	"levada.dev/events/watch"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus/address"
	"levada.dev/workflows/corpus/web"
)

// The codes of messages that were not taken. They never change.
const (
	CodeRefused     = "webhook_refused"     // 4xx
	CodeBusy        = "webhook_busy"        // the server wants to be left alone for a while
	CodeFailed      = "webhook_failed"      // 5xx
	CodeUnreachable = "webhook_unreachable" // no answer in time
	CodeRedirected  = "webhook_redirected"  // redirects are not followed
	CodeDenied      = "address_denied"
	CodeSecrets     = "secrets_unavailable"
)

const (
	maxTime   = 10 * time.Second // for an answer
	maxAnswer = 4 << 10          // of which so much is read, and nothing looked at
)

// errGone is a server that wants no messages any more.
var errGone = errors.New("the webhook is gone")

// hook is a webhook that may be called.
type hook struct {
	*Consumer
	url  *url.URL
	keys [][]byte
}

// open checks the address, and reads the secrets.
func (c *Consumer) open(ctx context.Context, s tenants.Scope, w *tenants.Hook) (*hook, error) {
	h := &hook{Consumer: c}
	private := c.opts.Private && w.Private
	var err error
	if h.url, err = address.Parse(w.URL); err != nil || h.url.Scheme != "https" && !private || (address.Rules{Private: private}).Check(h.url) != nil {
		return nil, fault.New(fault.Denied, CodeDenied, "the webhook's url is not one of a public host", nil).WithHint("webhooks are sent to public hosts, by https")
	}
	for _, name := range w.Secrets {
		secret, err := c.Secrets.Secret(ctx, s, name)
		if fault.Is(err, fault.NotFound) {
			continue // it was named a moment ago, and is not published yet: another signs
		}
		if err != nil {
			return nil, fmt.Errorf("secret %s: %w", name, err)
		}
		key, err := tenants.ParseSecret(secret)
		if err != nil {
			return nil, fault.New(fault.Internal, "secret_broken", name, err)
		}
		h.keys = append(h.keys, key)
	}
	if len(h.keys) == 0 {
		return nil, fault.Unavailablef(nil, CodeSecrets, "no secret of the webhook is published")
	}
	return h, nil
}

// post sends a message, signed with every secret.
func (h *hook) post(ctx context.Context, id string, m message) (err error) {
	ctx, span := watch.Start(ctx, trace.Outside, "webhook")
	defer func() {
		if errors.Is(err, errGone) {
			span.Note(func(f *trace.Facts) { f.Outcome = trace.Refused })
		}
		span.End(ctx, err)
	}()
	body, err := json.Marshal(m)
	if err != nil {
		return fault.New(fault.Internal, "webhook_encoding", "", err) // texts and numbers
	}
	ctx, cancel := context.WithTimeout(ctx, maxTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url.String(), bytes.NewReader(body))
	if err != nil {
		return fault.New(fault.Denied, CodeDenied, "the webhook's url is no address", nil)
	}
	now := h.opts.Now()
	signatures, err := h.sign(id, now, body)
	if err != nil {
		return fault.New(fault.Internal, "webhook_signing", "", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", web.UserAgent)
	req.Header.Set(standardwebhooks.HeaderWebhookID, id)
	req.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	req.Header.Set(standardwebhooks.HeaderWebhookSignature, signatures)
	web.Traced(req, span)
	resp, err := h.Do(req)
	if err != nil {
		return fault.Unavailablef(nil, CodeUnreachable, "the server did not answer within %d seconds", int(maxTime.Seconds())) // the error may quote the address
	}
	defer resp.Body.Close()
	span.Note(func(f *trace.Facts) { f.Status = resp.StatusCode })
	_, _ = io.CopyN(io.Discard, resp.Body, maxAnswer) // so that the connection may be used again; what the server says counts for nothing
	return h.answered(resp)
}

// sign is a signature for each secret, of which the receiver has one at least.
func (h *hook) sign(id string, now time.Time, body []byte) (string, error) {
	all := make([]string, len(h.keys))
	for i, key := range h.keys {
		signer, err := standardwebhooks.NewWebhookRaw(key)
		if err != nil {
			return "", err
		}
		if all[i], err = signer.Sign(id, now, body); err != nil {
			return "", err
		}
	}
	return strings.Join(all, " "), nil
}

// answered is what an answer means. All but 410 is tried again: servers are mended.
func (h *hook) answered(resp *http.Response) error {
	code := resp.StatusCode
	said := func(as string) *fault.Error { return fault.Unavailablef(nil, as, "the server answered %d", code) }
	switch {
	case code >= 200 && code <= 299:
		return nil
	case code == http.StatusGone:
		return errGone
	case code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable:
		return said(CodeBusy).WithRetryAfter(web.Wait(resp.Header.Get("Retry-After"), h.opts.Now(), maxPause))
	case code >= 300 && code <= 399:
		return said(CodeRedirected)
	case code >= 500:
		return said(CodeFailed)
	}
	return said(CodeRefused)
}
