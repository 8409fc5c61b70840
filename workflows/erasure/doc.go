// Package erasure erases a tenant: a flow takes out its documents and sessions, sweeps every store of what is still there, asks
// the stores whether anything is left, and has the ledger forget its rows. What stays is the audit trail, which has ids and no texts and is what proves
// the erasure, and the account, as what was used has to be paid for all the same.
package erasure
