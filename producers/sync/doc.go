// Package sync imports tenants' sources again and again, each as often as its configuration says. Nothing remembers when a source was imported last: time
// is divided into slots, and a slot's import has an id of its own, so whoever opens it twice opens it once.
package sync
