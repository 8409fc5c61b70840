package port

import (
	"context"
	"encoding/json"
	"errors"

	"levada.dev/events/fault"
	"levada.dev/events/trace"
	"levada.dev/events/watch"
	"levada.dev/infra/cloudflare/object"
	"levada.dev/tenants"
	"levada.dev/tenants/call"
)

// carrier takes calls to the tenants' objects of a class.
func carrier(ns object.Namespace) call.Carrier {
	return func(ctx context.Context, s tenants.Scope, name []string, method string, body []byte) ([]byte, error) {
		return callObject(ctx, ns, s, name, method, body)
	}
}

// callObject calls one of the tenant's objects of a class and names its failures.
func callObject(ctx context.Context, ns object.Namespace, s tenants.Scope, name []string, method string, body []byte) ([]byte, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	ctx, span := watch.Start(ctx, trace.Object, ns.Class()+"."+method)
	reply, err := ns.Named(s.Object(name...)).Call(ctx, method, body)
	err = failure(err)
	span.End(ctx, err)
	return reply, err
}

// failure names what a call of an object has failed with.
func failure(err error) error {
	if err == nil {
		return nil
	}
	var remote *object.RemoteError
	if errors.As(err, &remote) {
		var f fault.Error
		if remote.Data != nil && json.Unmarshal(remote.Data, &f) == nil {
			return &f
		}
		return fault.New(fault.Internal, "object_failed", "the object failed", err)
	}
	return fault.Unavailablef(err, "object_unavailable", "the object did not answer")
}

// PingObjects asks whether the objects of a class answer; the one it asks belongs to no tenant.
func PingObjects(ctx context.Context, ns object.Namespace) error {
	if _, err := ns.Named("ping").Call(ctx, "ping", nil); err != nil {
		return fault.Unavailablef(err, "object_unavailable", "the object did not answer")
	}
	return nil
}
