package api

import (
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"time"
	"unicode/utf8"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
)

// permit takes the request's one permit from the tenant's rates, for a user as the tenant names them, "" for nobody in
// particular. What the request will ask for next is leased with it, so that the call of a model makes no second way.
func (c *call) permit(user string, ahead quota.Amount) error {
	if name := c.r.Header.Get(userHeader); user == "" && checkUser(userHeader, name) == nil {
		user = name
	}
	c.asked = true
	if c.inside && (c.changes || !c.route.writes) { // one that writes, for a message that did not look like it, is asked for itself
		return nil
	}
	began := c.opts.Now()
	ask := quota.Ask{Requests: 1, User: caller(user, c.r.RemoteAddr), Writes: c.route.writes || c.changes, Talks: c.route.talks, Ahead: ahead}
	hold, err := c.Gate.Acquire(c.ctx(), c.scope, ask)
	c.stage("limit", began)
	if err != nil {
		if fault.Is(err, fault.Limited) {
			showStanding(c.w.Header(), exhausted(c.config.Rates, ask.User != ""))
		}
		return err
	}
	showStanding(c.w.Header(), hold.Standing()) // a hold of requests alone needs no settling
	return nil
}

// permitHeader is permit for a route whose body does not say who asks.
func (c *call) permitHeader() error {
	if err := checkUser("x-user-id", c.r.Header.Get(userHeader)); err != nil {
		return err
	}
	return c.permit("", quota.Amount{})
}

const (
	userHeader = "X-User-Id"
	maxUser    = 128
)

// checkUser accepts any name of up to 128 characters that can stand in one line.
func checkUser(field, user string) error {
	if utf8.RuneCountInString(user) > maxUser {
		return fault.Invalidf(field, "value_out_of_range", "is longer than %d characters", maxUser)
	}
	for _, r := range user {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return fault.Invalidf(field, "invalid_value", "has characters that are not printable")
		}
	}
	return nil
}

// caller is whose own rate counts: a user at an address. Where IPv6 ends at the customer, a /64 is one of them.
func caller(user, remote string) string {
	if remote == "" {
		return user
	}
	addr, err := netip.ParseAddr(remote)
	if err != nil {
		at, err := netip.ParseAddrPort(remote)
		if err != nil {
			return user
		}
		addr = at.Addr()
	}
	if addr = addr.Unmap(); addr.Is6() {
		network, _ := addr.WithZone("").Prefix(64) // 64 is no more than an address has
		addr = network.Addr()
	}
	name := append(make([]byte, 0, maxUser), user...)
	return string(addr.AppendTo(append(name, '\n'))) // no user has a line break
}

// exhausted is how the narrower of the caller's rates stands when one has refused.
func exhausted(rates tenants.Rates, user bool) quota.Standing {
	rate := rates.Tenant
	if user && rates.User.Burst < rate.Burst {
		rate = rates.User
	}
	return quota.Standing{Limit: rate.Burst, Reset: refill(rate)}
}

// refill is how long a rate that is used up takes until it is whole again.
func refill(r tenants.Rate) time.Duration {
	return time.Duration(r.Burst) * time.Minute / time.Duration(max(r.PerMinute, 1))
}

// showStanding sets the headers that say how near the caller is to a limit.
func showStanding(h http.Header, s quota.Standing) {
	reset := int(math.Ceil(s.Reset.Seconds()))
	values := [...]string{strconv.Itoa(s.Limit), strconv.Itoa(max(s.Remaining, 0)), strconv.Itoa(reset)}
	h["X-Ratelimit-Limit"], h["X-Ratelimit-Remaining"], h["X-Ratelimit-Reset"] = values[0:1:1], values[1:2:2], values[2:3:3]
}
