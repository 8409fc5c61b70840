package port

import (
	"context"
	"errors"
	"time"

	"levada.dev/events/fault"
	"levada.dev/infra/cloudflare/kv"
)

// Published reads the tenants' published configuration from KV.
type Published struct{ kv kv.Namespace }

// NewPublished reads from a namespace.
func NewPublished(ns kv.Namespace) Published { return Published{ns} }

// Read implements tenants.Reader.
func (p Published) Read(ctx context.Context, key string) ([]byte, error) {
	b, err := p.kv.Get(ctx, key, &kv.GetOptions{CacheTTL: time.Minute})
	switch {
	case errors.Is(err, kv.ErrNotFound):
		return nil, fault.Missing("key_not_found", "nothing is published under %.80q", key)
	case err != nil:
		return nil, fault.Unavailablef(err, "config_unavailable", "the tenants' configuration could not be read")
	}
	return b, nil
}

// Ping asks whether the namespace answers.
func (p Published) Ping(ctx context.Context) error {
	_, err := p.Read(ctx, "hash")
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}
