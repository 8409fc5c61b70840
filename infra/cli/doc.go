// Package cli is the levada command: what the tasks of Taskfile.yml call, and
// what works without Task too.
//
// Every command is one file: its options, the constructor that binds them to
// flags, and run, which does the work with nothing but the options. Results go
// to stdout, progress and problems to stderr; --json prints the result as JSON.
//
// Exit codes, of every command: 0 it went well; 1 it found a problem or failed;
// 2 it was called wrongly, and did nothing.
package cli
