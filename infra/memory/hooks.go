package memory

import "levada.dev/tenants"

// Hooks makes calls fail. Set the functions before the store is used. Both get the name of the method.
type Hooks struct {
	// Before runs before the call does anything; its error is the call's, and nothing has happened.
	Before func(op string) error
	// After runs when the call has done its work; its error is the call's, although everything has happened.
	After func(op string) error
}

// do runs one call of a tenant.
func (h *Hooks) do(s tenants.Scope, op string, effect func() error) error {
	if err := s.Check(); err != nil {
		return err
	}
	return h.run(op, effect)
}

func (h *Hooks) run(op string, effect func() error) error {
	if h.Before != nil {
		if err := h.Before(op); err != nil {
			return err
		}
	}
	if err := effect(); err != nil {
		return err
	}
	if h.After != nil {
		return h.After(op)
	}
	return nil
}
