// Package openmetrics writes what was counted as text that Prometheus and its like read: OpenMetrics 1.0 (https://prometheus.io/docs/specs/om/open_metrics_spec/)
// and the older text format 0.0.4 of Prometheus (https://prometheus.io/docs/instrumenting/exposition_formats/). Numbers are exact: sums of seconds and dollars are written
// as decimals, and never pass through a float.
package openmetrics
