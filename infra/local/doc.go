// Package local is Levada on one machine: the platform of package dev with this checkout's stack and tenants, and an API
// key for each tenant, made on the first start and kept in keys.json of the state folder. The secrets of
// the tenants' sources are made likewise and kept in secrets.json.
package local
