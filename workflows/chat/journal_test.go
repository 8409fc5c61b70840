package chat

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
)

// However large the events, the journal holds little more than MaxNews, and no batch is larger.
func TestTheJournalIsBounded(t *testing.T) {
	for _, size := range []int{100 << 10, 200 << 10, MaxNews - 100, 2 * MaxNews} {
		synctest.Test(t, func(t *testing.T) {
			j := newJournal()
			data := json.RawMessage(`"` + strings.Repeat("x", size-2) + `"`)
			const n = 20
			go func() {
				for range n {
					_, err := j.add(t.Context(), Token, data)
					assert.NoError(t, err)
				}
				j.addLast(UsageEvent, data)
				j.finish(Outcome{}, Event{Type: Done, Data: data})
				j.finish(Outcome{Code: "late"}, Event{Type: Error, Data: data})
			}()
			for told := 0; ; {
				synctest.Wait()
				assert.Less(t, j.bytes, MaxNews+3*(size+64))
				events, outcome := j.batch()
				require.NotEmpty(t, events)
				assert.True(t, len(events) == 1 || len(events)*size <= MaxNews, "%d events of %d", len(events), size)
				for _, e := range events {
					told++
					require.Equal(t, told, e.ID)
				}
				j.taken(events)
				if outcome != nil {
					assert.Empty(t, outcome.Code)
					assert.Equal(t, n+2, told)
					break
				}
			}
		})
	}
}

func TestAddGivesUp(t *testing.T) {
	j := newJournal()
	ctx, cancel := context.WithCancel(t.Context())
	for range Ahead - final {
		_, err := j.add(ctx, Token, json.RawMessage(`{}`))
		require.NoError(t, err)
	}
	cancel()
	_, err := j.add(ctx, Token, json.RawMessage(`{}`))
	assert.ErrorIs(t, err, context.Canceled)
}

// A session that has no room for a turn's last events has it end with that, and not as if all were there.
func TestARefusalAtTheEnd(t *testing.T) {
	j := newJournal()
	_, err := j.add(t.Context(), Token, json.RawMessage(`{}`))
	require.NoError(t, err)
	j.finish(Outcome{}, Event{Type: Done, Data: json.RawMessage(`{}`)})
	j.refuse(fault.Invalidf("events", "answer_too_long", "too long"))
	events, outcome := j.batch()
	require.Len(t, events, 1)
	assert.Equal(t, Event{ID: 2, Type: Error, Data: json.RawMessage(`{"code":"answer_too_long","message":"too long"}`)}, events[0])
	assert.Equal(t, "answer_too_long", outcome.Code)
}
