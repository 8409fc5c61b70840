// Package validate checks the configurations of all tenants together, before anything is started or deployed. It
// runs on a developer's machine and in CI, never in a Worker.
package validate
