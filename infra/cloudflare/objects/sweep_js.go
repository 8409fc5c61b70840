package objects

import (
	"context"

	"levada.dev/infra/cloudflare/object"
	"levada.dev/tenants/rows"
)

// sweep has a book forget what is too old, batch by batch, each in a transaction of its own. It reports whether there is something that will be
// forgotten later.
func sweep(ctx context.Context, st *object.State, batch func(tx rows.Tx, limit int) (rows.Swept, error)) (left bool, err error) {
	for {
		var swept rows.Swept
		err := st.SQL().Txn(ctx, func(tx *object.Tx) (err error) {
			swept, err = batch(Rows(tx), sweepBatch)
			return err
		})
		if err != nil || !swept.More {
			return swept.Left, err
		}
	}
}
