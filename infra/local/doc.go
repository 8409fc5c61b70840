// Package local is Levada on one machine: the platform of package dev with this checkout's stack and tenants, and an API
// key for each tenant, made on the first start and kept in keys.json of the state folder.
package local
