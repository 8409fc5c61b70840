package call

import (
	"encoding/json"
	"errors"
	"fmt"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
)

// request is a call on its way to an object, which belongs to one tenant for ever.
type request[A any] struct {
	Tenant tenants.ID `json:"tenant"`
	Args   A          `json:"args"`
}

// answer is what comes back: a value, or a fault as data.
type answer[V any] struct {
	Value V            `json:"value,omitzero"`
	Fault *fault.Error `json:"fault,omitempty"`
}

// tenantKey is the row that holds an object to the first tenant it ever served.
const tenantKey = "tenant"

// Serve runs f for the tenant that the call names, inside an open transaction. There is always an answer to send back.
// When commit is false the transaction is to be rolled back first; nothing of it may stay.
func Serve[A, V any](tx rows.Tx, body []byte, f func(tenants.Scope, A) (V, error)) (reply []byte, commit bool) {
	var req request[A]
	if err := json.Unmarshal(body, &req); err != nil {
		return Refuse(fault.New(fault.Invalid, "request_invalid", "not a call of an object", err)), false
	}
	s, err := admit(tx, req.Tenant)
	if err != nil {
		return Refuse(err), false
	}
	v, err := f(s, req.Args)
	if err != nil {
		return Refuse(err), false
	}
	reply, err = json.Marshal(answer[V]{Value: v})
	if err != nil {
		return Refuse(err), false
	}
	return reply, true
}

// admit resumes the caller's tenant and holds the object to the first it ever served.
func admit(tx rows.Tx, tenant tenants.ID) (tenants.Scope, error) {
	s, err := tenants.Resume(string(tenant))
	if err != nil {
		return s, err
	}
	owner, err := tx.Get(tenantKey)
	if err != nil {
		return s, fmt.Errorf("call: get: %w", err)
	}
	if owner == nil {
		err = tx.Put(tenantKey, []byte(tenant))
	} else if string(owner) != string(tenant) {
		err = fault.New(fault.Denied, "tenant_mismatch", "the object belongs to another tenant", nil)
	}
	return s, err
}

// Owner is the tenant that the object serves, for work that no call asked for. The zero Scope and no error mean that it has
// not served any yet.
func Owner(tx rows.Tx) (tenants.Scope, error) {
	owner, err := tx.Get(tenantKey)
	if err != nil || owner == nil {
		return tenants.Scope{}, err
	}
	return tenants.Resume(string(owner))
}

// Unknown is the answer to a method that an object does not have.
func Unknown(method string) (reply []byte, commit bool) {
	return Refuse(fault.Invalidf("", "method_unknown", "the object has no method %.32q", method)), false
}

// Refuse is the answer that carries an error. What nobody has classified is a failure of the store: worth another try.
func Refuse(err error) []byte {
	var f *fault.Error
	if !errors.As(err, &f) {
		f = fault.Unavailablef(err, "object_storage", "the object could not read or write")
	}
	b, err := json.Marshal(answer[struct{}]{Fault: f})
	if err != nil {
		panic(err) // strings and a number always encode
	}
	return b
}

// ServeBytes is Serve for an answer that is bytes, which AskBytes gets as they are: no JSON around what is large.
func ServeBytes[A any](tx rows.Tx, body []byte, f func(tenants.Scope, A) ([]byte, error)) (reply []byte, commit bool) {
	var value []byte
	reply, commit = Serve(tx, body, func(s tenants.Scope, args A) (_ struct{}, err error) {
		value, err = f(s, args)
		return struct{}{}, err
	})
	if !commit {
		return reply, false
	}
	return append([]byte{isBytes}, value...), true
}

// isBytes begins an answer of bytes; JSON begins with none such.
const isBytes = 0
