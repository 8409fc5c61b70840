// Package analytics is the binding of an Analytics Engine dataset.
package analytics
