// Package producers is what puts facts in: one folder for each way in.
package producers
