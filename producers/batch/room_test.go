package batch_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/semaphore"

	"levada.dev/events/fault"
)

const mib = 1 << 20

// hall is a room that remembers who asked for how much, and how much of it is taken.
type hall struct {
	asked []int
	taken int
	full  error // for more than a MiB
}

func (h *hall) ask(_ context.Context, bytes int) (func(), error) {
	h.asked = append(h.asked, bytes)
	if h.full != nil && bytes > mib {
		return nil, h.full
	}
	h.taken += bytes
	return func() { h.taken -= bytes }, nil
}

// watched calls look when it is read.
type watched struct {
	io.Reader
	look func()
}

func (w watched) Read(p []byte) (int, error) {
	w.look()
	return w.Reader.Read(p)
}

// large is a good line of about so many bytes.
func large(bytes int) string { return `{"text":"` + strings.Repeat("x", bytes) + "\"}\n" }

// A large line has the room of the longest there may be from its first MiB on, a long one its own when it is decoded; what is done or too long
// has none.
func TestALineHasRoom(t *testing.T) {
	const most = 4 * mib
	var h hall
	look := func(taken int) func() {
		return func() { assert.Equal(t, taken, h.taken) }
	}
	long, two := large(100<<10), large(2*mib)
	d, b := newDoor(t), of("")
	b.MaxLine, b.Room = most, h.ask
	none := func(s string) io.Reader { return watched{strings.NewReader(s), look(0)} }
	b.Body = io.MultiReader(
		none(large(10)), none(large(mib)[:mib]), // so far it has none
		strings.NewReader(large(mib)[mib:]+large(10)),
		none(two[:mib]), strings.NewReader(two[mib:5*mib/4]), watched{strings.NewReader(two[5*mib/4 : 7*mib/4]), look(most)}, strings.NewReader(two[7*mib/4:]),
		none(long), strings.NewReader(strings.Repeat("x", most+100<<10)), none(strings.Repeat("x", most)+"\n"+large(10)), none(large(10)))
	r, err := d.Take(t.Context(), d.acme, b)
	require.NoError(t, err)
	assert.Equal(t, []int{7, 1}, []int{r.Entries, r.Refused})
	assert.Equal(t, "line_too_long", r.Problems[0].Code)
	assert.Equal(t, []int{most, most, len(long) - 1, most}, h.asked)
	assert.Zero(t, h.taken, "all of it is given back")
}

// Where there is none the batch comes again: nothing of it was taken.
func TestThereIsNoRoom(t *testing.T) {
	busy := fault.Unavailablef(nil, "bodies_busy", "later")
	h := hall{full: busy}
	d, b := newDoor(t), of(large(10)+large(2*mib)+large(10))
	b.MaxLine, b.Room = 4*mib, h.ask
	_, err := d.Take(t.Context(), d.acme, b)
	assert.ErrorIs(t, err, busy)
	assert.Empty(t, d.clerk.opened)
	assert.Zero(t, d.parts.Len(d.acme))
	assert.Zero(t, h.taken)
}

// What breaks off gives its room back.
func TestALargeLineBreaksOff(t *testing.T) {
	var h hall
	d, b := newDoor(t), of("")
	b.Body = io.MultiReader(strings.NewReader(large(10)+large(2 * mib)[:2*mib]), lost{})
	b.MaxLine, b.Room = 4*mib, h.ask
	_, err := d.Take(t.Context(), d.acme, b)
	assert.Equal(t, "body_incomplete", fault.As(err).Code)
	assert.Len(t, h.asked, 1)
	assert.Zero(t, h.taken)
}

type lost struct{}

func (lost) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

// Batches with large lines that come at once go one after the other through a room for one of them, and do not wait for each other.
func TestLargeLinesAtOnce(t *testing.T) {
	const most, n = 3 * mib, 4
	room := semaphore.NewWeighted(most)
	var all sync.WaitGroup
	for range n {
		d, b := newDoor(t), of(strings.Repeat(large(most-100)+large(100<<10), 3))
		b.MaxLine = most
		b.Room = func(ctx context.Context, bytes int) (func(), error) {
			if err := room.Acquire(ctx, int64(bytes)); err != nil {
				return nil, err
			}
			return func() { room.Release(int64(bytes)) }, nil
		}
		all.Go(func() {
			r, err := d.Take(t.Context(), d.acme, b)
			assert.NoError(t, err)
			assert.Equal(t, 6, r.Entries)
		})
	}
	all.Wait()
	assert.True(t, room.TryAcquire(most), "all of it is given back")
}
