// Package alert has the rules by which a tenant is told that something it counts is beyond what it wants: what a rule is, whether it holds, and where rules are kept. They are kept,
// and looked at each minute, where the counts are (package book).
package alert
