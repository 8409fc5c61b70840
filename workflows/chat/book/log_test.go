package book

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/workflows/chat"
)

func TestEventsComeBackByteForByte(t *testing.T) {
	types := append(append([]chat.EventType(nil), kinds...), "another", "")
	data := []string{
		`{"token":"a"}`, `{"token":""}`, `{"token":}`, `{"token":`, `}`, ``, `{"token":"<\u003c>","x":{}}`, ` {"token":"a"}`, `null`, `{"token":1}`,
		`{"token":"a"} `, `{"code":"x"}`,
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		var l eventLog
		var want []chat.Event
		for id, n := 0, random.IntN(20); n > 0; n-- {
			id += 1 + random.IntN(3)*random.IntN(5000)
			e := chat.Event{ID: id, Type: types[random.IntN(len(types))], Data: json.RawMessage(data[random.IntN(len(data))])}
			want = append(want, e)
			l.add(e)
		}
		l.heard = random.Int64N(1 << 45)
		var again eventLog
		require.NoError(t, again.decode(l.encode(nil)))
		assert.Equal(t, l.heard, again.heard)
		assert.Equal(t, l.last, again.last)
		for after, limit := range map[int]int{0: 100, 7: 3, 1 << 40: 5} {
			got, more, err := again.after(after, limit)
			require.NoError(t, err)
			var rest []chat.Event
			for _, e := range want {
				if e.ID > after {
					rest = append(rest, e)
				}
			}
			assert.Equal(t, len(rest) > limit, more)
			require.Len(t, got, min(len(rest), limit))
			for i, e := range got {
				assert.Equal(t, rest[i].ID, e.ID)
				assert.Equal(t, rest[i].Type, e.Type)
				assert.Equal(t, string(rest[i].Data), string(e.Data))
			}
		}
	}
}

func TestATokenIsSmall(t *testing.T) {
	var l eventLog
	for i := range 1000 {
		l.add(chat.Event{ID: i + 1, Type: chat.Token, Data: json.RawMessage(`{"token":" word"}`)})
	}
	assert.Equal(t, 1000*(3+len(`" word"`)), len(l.records))
}

// FuzzLog has whatever a row may hold decode, or not, but never panic.
func FuzzLog(f *testing.F) {
	var l eventLog
	l.add(chat.Event{ID: 1, Type: chat.Token, Data: json.RawMessage(`{"token":"a"}`)})
	l.add(chat.Event{ID: 9, Type: "other", Data: json.RawMessage(`{}`)})
	f.Add(l.encode(nil))
	f.Add([]byte{1, 2, 3, 0x7f, 5})
	f.Fuzz(func(t *testing.T, b []byte) {
		var l eventLog
		if l.decode(b) != nil {
			return
		}
		if evs, _, err := l.after(0, 10); err == nil {
			assert.LessOrEqual(t, len(evs), 10)
		}
	})
}
