// Package meter counts: what was asked, how long it took, what it cost, for each tenant. What can be counted is a closed table (metrics), so what is kept
// of a tenant is bounded and sums are exact integers. An isolate counts in a Set and hands it over from time to time; Meters is where it goes.
package meter
