// Package tenantstest makes tenants for tests: configurations, scopes and a directory of them, and the suite that
// every adapter of the directory's Reader runs.
package tenantstest
