// Package imports takes many documents in as one piece of work: an import, which is a job in the tenant's ledger and a flow
// that feeds it.
package imports
