package consumers

import (
	"errors"

	"levada.dev/workflows/corpus"
)

// At says that an error came up at a stage which is not its route's: a handler may do what several stages name.
func At(stage corpus.Stage, err error) error {
	if err == nil {
		return nil
	}
	return &atStage{stage, err}
}

type atStage struct {
	stage corpus.Stage
	error
}

// Unwrap returns the error itself.
func (e *atStage) Unwrap() error { return e.error }

// stageOf is the stage that an error came up at, if it says so, else the route's.
func stageOf(err error, route corpus.Stage) corpus.Stage {
	var at *atStage
	if route != "" && errors.As(err, &at) {
		return at.stage
	}
	return route
}
