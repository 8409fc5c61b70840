package fetch_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/consumers"
	"levada.dev/consumers/fetch"
	"levada.dev/events"
	"levada.dev/events/eventstest"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/corpus"
)

// servers have a large document of each tenant, and take their time.
type servers struct {
	*world
	bytes int64
	takes time.Duration

	mu    sync.Mutex
	asked []tenants.ID
}

func (v *servers) Fetch(ctx context.Context, s tenants.Scope, _ string, o corpus.FetchOptions) (corpus.Fetched, error) {
	v.mu.Lock()
	v.asked = append(v.asked, s.Tenant())
	v.mu.Unlock()
	if err := o.Large(ctx, v.bytes); err != nil {
		return corpus.Fetched{}, err
	}
	select {
	case <-time.After(v.takes):
		return page, nil
	case <-ctx.Done():
		return corpus.Fetched{}, fault.Unavailablef(ctx.Err(), "fetch_failed", "the server did not answer")
	}
}

func (v *servers) Put(context.Context, tenants.Scope, string, []byte, string) error { return nil }

func (v *servers) Advance(_ context.Context, _ tenants.Scope, ps []corpus.Progress) ([]corpus.Verdict, error) {
	return []corpus.Verdict{{Fetched: ps[0].Fetched}}, nil
}

func (v *servers) times() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.asked)
}

// begin fetches a document of a tenant within a room.
func (v *servers) begin(t *testing.T, c *fetch.Consumer, tenant string) <-chan error {
	s := tenantstest.Scope(t, tenant)
	f := events.DocumentRequested{DocumentRef: events.DocumentRef{DocID: "page", Generation: 1, JobID: "job"}, ContentType: corpus.OctetStream, Model: "m", Fetch: events.Fetch{URL: "https://example.com/"}}
	ev, err := events.New(s, "ledger", events.Cause{ID: "request"}, time.Unix(0, 0), f)
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() {
		done <- c.Handle(t.Context(), s, []consumers.Of[events.DocumentRequested]{{Delivery: consumers.Delivery{Event: ev, Attempt: 1}, Fact: f}})[0]
	}()
	synctest.Wait()
	return done
}

func (v *servers) consumer(room *consumers.Room) *fetch.Consumer {
	return fetch.New(v, v, v, &eventstest.Publisher{}, time.Now).Within(room)
}

// What is fetched and what other handlers do is in one room.
func TestLargeDocumentsAreFetchedInTheRoomOfAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, room := &servers{world: &world{}, bytes: 15, takes: 4 * time.Second}, consumers.NewRoom(40)
		c := v.consumer(room)
		leave, err := room.Enter(t.Context(), room.Bytes())
		require.NoError(t, err)
		acme, second, globex := v.begin(t, c, "acme"), v.begin(t, c, "acme"), v.begin(t, c, "globex")
		time.Sleep(30 * time.Second)
		synctest.Wait()
		assert.Empty(t, slices.Concat(drain(acme), drain(second), drain(globex)), "they wait")
		assert.Equal(t, 3, v.times(), "each server was asked once, and left")
		leave()
		time.Sleep(4 * time.Second)
		synctest.Wait()
		assert.Equal(t, []int{1, 1, 0}, []int{len(globex), len(acme) + len(second), len(acme) * len(second)}, "one of each tenant")
		time.Sleep(4 * time.Second)
		synctest.Wait()
		assert.Equal(t, []error{nil, nil, nil}, slices.Concat(drain(acme), drain(second), drain(globex)))
		assert.Equal(t, 6, v.times())
		leave, err = room.Enter(t.Context(), room.Bytes())
		require.NoError(t, err, "all of it is given back")
		leave()
	})
}

// Nobody's documents wait for a server that sends slowly.
func TestASlowServerIsGivenUpWhenOthersNeedTheRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, room := &servers{world: &world{}, bytes: 15, takes: 15 * time.Second}, consumers.NewRoom(40)
		c := v.consumer(room)
		alone := v.begin(t, c, "acme")
		assert.NoError(t, <-alone, "nobody waits")

		slow, began := v.begin(t, c, "acme"), time.Now()
		leave, err := room.Enter(t.Context(), room.Bytes())
		require.NoError(t, err)
		assert.Equal(t, 5*time.Second, time.Since(began))
		leave()
		err = <-slow
		assert.Equal(t, []any{fault.Unavailable, "fetch_failed"}, []any{fault.KindOf(err), fault.As(err).Code}, "it comes again")
		assert.ErrorContains(t, err, "slowly")
	})
}

// What has found no room in time comes again.
func TestThereIsNoRoomForALargeDocument(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, room := &servers{world: &world{}, bytes: 15}, consumers.NewRoom(40)
		leave, err := room.Enter(t.Context(), room.Bytes())
		require.NoError(t, err)
		defer leave()
		err = <-v.begin(t, v.consumer(room), "acme")
		assert.Equal(t, []any{fault.Unavailable, "memory_busy"}, []any{fault.KindOf(err), fault.As(err).Code})
	})
}

// drain is what has come.
func drain(c <-chan error) []error {
	select {
	case err := <-c:
		return []error{err}
	default:
		return nil
	}
}
