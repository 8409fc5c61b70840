// Package book is what a tenant's ledger of money and rates decides, apart from where it is kept.
//
// A Book holds no state. Its methods work on rows.Tx, an ordered map inside one transaction, so the same decisions run over
// SQLite in a Durable Object and over a map in a test. Call and Client are the two ends of a wire that carries quota.Ledger.
//
//	s                            what is spent today and this month, what is leased in all, by whom; the tenant's rate; how far the sweep is
//	p/<purse>                    one purse: its lease, its last exchange and the answer to it
//	u/<xx>                       rates of users, by the first byte of their names; those that stand full are left out
//	l/<day>/<capability>/<model> one line of the account
//	c                            what was used in another pool, as it was carried last; it is in the account's lines
//	o/, x/                       events that wait for their queue
//
// The rule that everything follows from: what is spent in a period, and all that is leased, is never together above the
// period's limit when something is granted. A lease that was granted before midnight counts as leased in the new day,
// too, wherever it is booked in the end.
package book
