package view

import "levada.dev/events/meter"

// OverviewNeeds are the metrics that OverviewOf looks at. The others below are those of their views.
func OverviewNeeds() []meter.Metric {
	return []meter.Metric{meter.Requests, meter.RequestDuration, meter.Events, meter.DeadLetters, meter.ModelCalls, meter.ModelTokens, meter.ModelCost}
}

// SLINeeds are those of SLIsOf.
func SLINeeds() []meter.Metric {
	return []meter.Metric{meter.Requests, meter.RequestDuration, meter.FirstToken}
}

// CacheNeeds are those of CacheOf.
func CacheNeeds() []meter.Metric {
	return []meter.Metric{meter.Searches, meter.SearchTime, meter.SearchDuration}
}

// ToolNeeds are those of ToolsOf.
func ToolNeeds() []meter.Metric { return []meter.Metric{meter.ToolCalls, meter.ToolDuration} }

// AnomalyNeeds are those of AnomaliesOf, which asks whether anything at all was counted by the same.
func AnomalyNeeds() []meter.Metric { return OverviewNeeds() }
