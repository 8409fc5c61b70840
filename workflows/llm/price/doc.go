// Package price is what models cost, in US dollars and in neurons: one table with its date, prices.json, by which everything is reserved, booked and
// estimated.
package price
