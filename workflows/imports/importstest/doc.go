// Package importstest is the suites of the ports of imports.
package importstest
