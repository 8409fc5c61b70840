package memory

import (
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
)

// objects is what each tenant's object of a class keeps.
type objects map[tenants.ID]*rows.Memory

func (o objects) of(s tenants.Scope) *rows.Memory {
	kept := o[s.Tenant()]
	if kept == nil {
		kept = rows.NewMemory()
		o[s.Tenant()] = kept
	}
	return kept
}

// decider is what answers the calls of a class: a book. When commit is false, nothing of the call may stay.
type decider interface {
	Call(tx rows.Tx, method string, body []byte) (reply []byte, commit bool)
}

// serve answers one call in one transaction, and reports whether it stays.
func serve(kept *rows.Memory, d decider, method string, body []byte) (reply []byte, committed bool) {
	tx := kept.Begin()
	if reply, committed = d.Call(tx, method, body); committed {
		tx.Commit()
	}
	return reply, committed
}
