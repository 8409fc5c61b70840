package api

import (
	"net/http"
	"strconv"
	"strings"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/workflows/corpus"
)

// deliver takes the signed events of a source in. Nothing of the body is looked at before the signature is verified, and nothing is taken of
// the rates of tenant and source: what strangers send is theirs. Of those the isolate remembers that they failed, and reads no large
// bodies of them for a while.
func deliver(c *call) error {
	source, err := c.source()
	if err != nil {
		return err
	}
	if err := c.Webhooks.Inspect(c.r.Header); err != nil {
		return err
	}
	defer c.dropBody()
	who := string(c.config.ID) + "\n" + caller(sourceUser(source), c.r.RemoteAddr)
	if size := c.r.ContentLength; size < 0 || size > smallBody {
		if err := c.strangers.check(who, c.opts.Now()); err != nil {
			return err
		}
	}
	admitted := false
	done, err := c.received(source, func() error {
		admitted = true
		return c.permit(sourceUser(source), quota.Amount{})
	})
	if err != nil {
		if !admitted && !fault.Retryable(err) {
			c.strangers.failed(who, c.opts.Now())
		}
		return err
	}
	if len(done.Accepted)+len(done.Ignored) == 0 && len(done.Refused) > 0 {
		return withDetails(fault.Invalidf("", "events_refused", "none of the %d events can be taken", len(done.Refused)), details{Refused: done.Refused})
	}
	return c.ok(http.StatusAccepted, done)
}

// received reads the body and takes it in, once admit lets whoever signed it.
func (c *call) received(source *tenants.Source, admit func() error) (corpus.Delivered, error) {
	if err := c.readBytes(); err != nil {
		return corpus.Delivered{}, err
	}
	began := c.opts.Now()
	defer func() { c.stage("intake", began) }()
	return c.Webhooks.Receive(c.ctx(), c.scope, c.config, corpus.Delivery{
		Source: source, Header: c.r.Header, Body: c.body, Cause: c.cause(), Admit: admit,
	})
}

// source is the one that the path names. That of another tenant is none.
func (c *call) source() (*tenants.Source, error) {
	source, ok := c.config.Source(c.r.PathValue("sourceId"))
	if !ok || source.Webhook == nil {
		return nil, fault.Missing("source_not_found", "there is no such source").WithHint("its webhook is in the tenant's configuration: sources[].webhook")
	}
	return source, nil
}

// sourceUser is whose own rate counts: the source at its address.
func sourceUser(s *tenants.Source) string { return "source/" + s.ID }

// The headers of the handshake of the CloudEvents webhook specification.
// https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/http-webhook.md#4-abuse-protection
const (
	requestOrigin = "WebHook-Request-Origin"
	requestRate   = "WebHook-Request-Rate"
	allowedOrigin = "WebHook-Allowed-Origin"
	allowedRate   = "WebHook-Allowed-Rate"
)

// greet answers OPTIONS: the handshake of a sender, which names itself, or else a browser's. Consent is given in the answer, always;
// a callback that the sender offers is not called. Anybody may ask, so it takes nothing of the tenant's rates, as a browser's preflight does not; nor
// does it call anything.
func greet(c *call) error {
	origin := c.r.Header.Get(requestOrigin)
	if origin == "" {
		const allow = "OPTIONS, POST"
		c.w.Header().Set("Allow", allow)
		return c.preflight(allow)
	}
	if err := c.resolve(); err != nil {
		return err
	}
	var err error
	if c.scope, err = tenants.Admit(c.config); err != nil {
		return err
	}
	source, err := c.source()
	if err != nil {
		return err
	}
	host, ok := originHost(origin)
	if !ok {
		return fault.Invalidf(strings.ToLower(requestOrigin), "webhook_header_invalid", "is not the name of a host")
	}
	rate, err := c.allowedRate()
	if err != nil {
		return err
	}
	if !source.Webhook.AllowsOrigin(host) {
		return fault.New(fault.Denied, "webhook_origin_denied", "the source does not take events from this origin", nil).
			WithHint("add the host to the source's webhook.origins")
	}
	h := c.w.Header()
	h.Set("Allow", http.MethodPost)
	h.Set(allowedOrigin, origin)
	h.Set(allowedRate, strconv.Itoa(rate))
	h.Set("Cache-Control", "no-store")
	c.send(http.StatusOK, nil)
	return nil
}

// originHost is the host in an origin as senders write it: a name, or with a scheme.
func originHost(origin string) (string, bool) {
	host := origin
	for _, scheme := range []string{"https://", "http://"} {
		host = strings.TrimPrefix(host, scheme)
	}
	host = strings.ToLower(strings.TrimSuffix(host, "/"))
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == '*' || r == ':' || r == '_'
	}
	return host, host != "" && len(host) <= 253 && strings.IndexFunc(host, func(r rune) bool { return !plain(r) }) < 0
}

// allowedRate is how many deliveries a minute are let through: what the sender asks for, or what one address has.
func (c *call) allowedRate() (int, error) {
	most := min(c.config.Rates.Tenant.PerMinute, c.config.Rates.User.PerMinute)
	asked := c.r.Header.Get(requestRate)
	if asked == "" {
		return most, nil
	}
	n, err := strconv.Atoi(asked)
	if err != nil || n < 1 {
		return 0, fault.Invalidf(strings.ToLower(requestRate), "webhook_header_invalid", "is not a number of requests a minute, at least 1")
	}
	return min(n, most), nil
}
