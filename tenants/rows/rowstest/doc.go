// Package rowstest is the suite that everything runs which opens transactions over rows: memory and the objects' database.
package rowstest
