package call

import (
	"context"
	"encoding/json"
	"fmt"

	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// Carrier takes the bytes of a call to the object and its answer back. name distinguishes several objects of a tenant, as
// Scope.Object has it; an error is the carrier's own and reaches the caller as it is.
type Carrier func(ctx context.Context, s tenants.Scope, name []string, method string, body []byte) ([]byte, error)

// Ask calls a method of the tenant's object.
func Ask[V, A any](ctx context.Context, do Carrier, s tenants.Scope, name []string, method string, args A) (V, error) {
	reply, err := send(ctx, do, s, name, method, args)
	if err != nil {
		var none V
		return none, err
	}
	return read[V](reply, method)
}

// AskBytes calls a method that answers by ServeBytes.
func AskBytes[A any](ctx context.Context, do Carrier, s tenants.Scope, name []string, method string, args A) ([]byte, error) {
	reply, err := send(ctx, do, s, name, method, args)
	if err != nil {
		return nil, err
	}
	if len(reply) > 0 && reply[0] == isBytes {
		return reply[1:], nil
	}
	if _, err := read[struct{}](reply, method); err != nil {
		return nil, err
	}
	return nil, fault.New(fault.Internal, "object_answer", method, nil)
}

// send takes a call to the object and its answer back.
func send[A any](ctx context.Context, do Carrier, s tenants.Scope, name []string, method string, args A) ([]byte, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	body, err := json.Marshal(request[A]{Tenant: s.Tenant(), Args: args})
	if err != nil {
		return nil, fault.New(fault.Internal, "object_request", method, err)
	}
	reply, err := do(ctx, s, name, method, body)
	if err != nil {
		return nil, fmt.Errorf("object %s: %w", method, err)
	}
	return reply, nil
}

func read[V any](reply []byte, method string) (V, error) {
	var a answer[V]
	if err := json.Unmarshal(reply, &a); err != nil {
		return a.Value, fault.New(fault.Internal, "object_answer", method, err)
	}
	if a.Fault != nil {
		return a.Value, a.Fault
	}
	return a.Value, nil
}
