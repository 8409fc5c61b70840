// Package quotatest tests what keeps a tenant to its limits, and helps to test what is kept: a suite for every adapter of
// quota.Ledger, and a Gate that lets everything through and watches how it is used.
package quotatest
