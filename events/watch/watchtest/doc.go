// Package watchtest shows a test what a watch has noticed.
package watchtest
