// Package workflows is what the platform does at length: one folder for each flow and each capability that
// is a sequence of steps. The folders hold the domain and its ports; the adapters are below infra.
package workflows
