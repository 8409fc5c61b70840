package events_test

import (
	"testing"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/stretchr/testify/assert"
)

// verdicts counts what came of texts that the SDK decoded and validated alone.
type verdicts struct{ accepted, refused, panicked int }

func (v *verdicts) add(text string) {
	defer func() {
		if recover() != nil {
			v.panicked++
		}
	}()
	var e cloudevents.Event
	if e.UnmarshalJSON([]byte(text)) != nil || e.Validate() != nil {
		v.refused++
		return
	}
	v.accepted++
}

// TestWhatTheSDKDoesAlone is why nobody hands it a stranger's text. When a new version does better, docs/design/events.md
// has to say so, too.
func TestWhatTheSDKDoesAlone(t *testing.T) {
	var valid, invalid verdicts
	for _, text := range validEvents {
		valid.add(text)
	}
	for _, c := range invalidEvents {
		invalid.add(c.text)
	}
	assert.Equal(t, verdicts{accepted: 39, refused: 6, panicked: 1}, valid)
	assert.Equal(t, verdicts{accepted: 53, refused: 95, panicked: 2}, invalid)
}
