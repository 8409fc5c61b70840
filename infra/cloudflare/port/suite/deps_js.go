package main

import (
	"io"
	"reflect"
	"time"
)

// deps is what testing.MainStart wants of a test binary, which the go command writes elsewhere. Running tests takes what
// is implemented here; the rest is for profiles and fuzzing, and nobody calls it.
type deps struct{ others }

func (deps) ImportPath() string                    { return "" }
func (deps) ModulePath() string                    { return "" }
func (deps) MatchString(_, _ string) (bool, error) { return true, nil }

func (deps) InitRuntimeCoverage() (string, func(string, string) (string, error), func() float64) {
	return "", nil, nil
}

// corpusEntry is testing's own, which has no name outside of it.
type corpusEntry = struct {
	Parent     string
	Path       string
	Data       []byte
	Values     []any
	Generation int
	IsSeed     bool
}

type others interface {
	SetPanicOnExit0(bool)
	StartCPUProfile(io.Writer) error
	StopCPUProfile()
	StartTestLog(io.Writer)
	StopTestLog() error
	WriteProfileTo(string, io.Writer, int) error
	CoordinateFuzzing(time.Duration, int64, time.Duration, int64, int, []corpusEntry, []reflect.Type, string, string) error
	RunFuzzWorker(func(corpusEntry) error) error
	ReadCorpus(string, []reflect.Type) ([]corpusEntry, error)
	CheckCorpus([]any, []reflect.Type) error
	ResetCoverage()
	SnapshotCoverage()
}
