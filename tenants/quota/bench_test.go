package quota_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/tenants/tenantstest"
)

// roomy is a gate that refuses nothing. Nobody looks after what lies there.
func roomy(l quota.Ledger) *quota.Purses {
	rate := tenants.Rate{PerMinute: 1_000_000, Burst: 1_000_000_000}
	limits := quota.Limits{Tenant: rate, User: rate, Day: quota.Amount{Tokens: 1e12, Nanos: 1e15}, Month: quota.Amount{Tokens: 1e12, Nanos: 1e15}}
	of := func(context.Context, tenants.Scope) (quota.Limits, error) { return limits, nil }
	return quota.NewGate(l, of, &quota.Options{Background: func(context.Context, func(context.Context)) error { return nil }})
}

func acquire(b *testing.B, g quota.Gate, s tenants.Scope, a quota.Ask) quota.Hold {
	h, err := g.Acquire(b.Context(), s, a)
	if err != nil {
		b.Fatal(err)
	}
	return h
}

// BenchmarkRequest is a permit of the tenant and of a user; one in some thousand makes an exchange.
func BenchmarkRequest(b *testing.B) {
	g, s := roomy(memory.NewQuota(time.Now)), tenantstest.Scope(b, "acme")
	b.ReportAllocs()
	for b.Loop() {
		acquire(b, g, s, quota.Ask{Requests: 1, User: "user\x00203.0.113.7"})
	}
}

// BenchmarkCall is a permit, the money of a call, and its settling.
func BenchmarkCall(b *testing.B) {
	g, s := roomy(memory.NewQuota(time.Now)), tenantstest.Scope(b, "acme")
	b.ReportAllocs()
	for b.Loop() {
		acquire(b, g, s, quota.Ask{Requests: 1, User: "user\x00203.0.113.7"}).Standing()
		h := acquire(b, g, s, quota.Ask{Amount: quota.Amount{Tokens: 2000, Nanos: 100_000}})
		h.Settle(b.Context(), quota.Use{Capability: "chat", Model: "@cf/zai-org/glm-4.7-flash", Prompt: 900, Completion: 100, Nanos: 94_000})
	}
}

// BenchmarkExchange is both ends of an exchange: what a hop costs but for the way there. Each asks for a new user's permit
// and a call's money, through one of ten isolates.
func BenchmarkExchange(b *testing.B) {
	s := tenantstest.Scope(b, "acme")
	b.ReportAllocs()
	gates := make([]*quota.Purses, 10)
	n := 0
	for b.Loop() {
		if n%1000 == 0 { // as nobody empties the outbox
			l := memory.NewQuota(time.Now)
			for i := range gates {
				gates[i] = roomy(l)
			}
		}
		n++
		acquire(b, gates[n%10], s, quota.Ask{Requests: 1, User: strconv.Itoa(n), Amount: quota.Amount{Tokens: 2000, Nanos: 100_000}})
	}
}
