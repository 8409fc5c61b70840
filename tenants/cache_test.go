package tenants_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
)

func TestDirectory(t *testing.T) {
	tenantstest.TestDirectory(t, func(_ *testing.T, entries tenants.Entries) tenants.Directory {
		return tenants.NewDirectory(entries, nil)
	})
}

// reader counts reads of entries that can change, and lets a test say how one goes.
type reader struct {
	mu      sync.Mutex
	entries tenants.Entries
	reads   map[string]int
	how     func(ctx context.Context, key string) error
}

func newReader(t *testing.T, ids ...string) *reader {
	t.Helper()
	r := &reader{reads: map[string]int{}}
	r.publish(t, ids...)
	return r
}

func (r *reader) publish(t *testing.T, ids ...string) {
	t.Helper()
	var configs []tenants.Config
	for _, id := range ids {
		configs = append(configs, tenantstest.Config(t, id, nil))
	}
	entries, err := tenants.Publish(configs, nil, nil)
	require.NoError(t, err)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entries = entries
}

func (r *reader) Read(ctx context.Context, key string) ([]byte, error) {
	r.mu.Lock()
	r.reads[key]++
	how, entries := r.how, r.entries
	r.mu.Unlock()
	if how != nil {
		if err := how(ctx, key); err != nil {
			return nil, err
		}
	}
	return entries.Read(ctx, key)
}

func (r *reader) count(key string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.reads[key]
}

func TestAnswersAreRememberedFor30Seconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReader(t, "acme")
		d := tenants.NewDirectory(r, nil)
		for range 10 {
			_, err := d.Config(t.Context(), "acme")
			require.NoError(t, err)
		}
		assert.Equal(t, 1, r.count("config/acme"))

		r.publish(t, "globex")
		time.Sleep(30*time.Second - time.Nanosecond)
		_, err := d.Config(t.Context(), "acme")
		require.NoError(t, err, "stale, as it may be")
		time.Sleep(time.Nanosecond)
		_, err = d.Config(t.Context(), "acme")
		assert.Equal(t, "tenant_not_found", fault.As(err).Code)
	})
}

func TestUnknownNamesAreRememberedFor5Seconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReader(t)
		d := tenants.NewDirectory(r, nil)
		for range 10 {
			_, err := d.Host(t.Context(), "acme.localhost")
			require.Equal(t, "tenant_not_found", fault.As(err).Code)
		}
		assert.Equal(t, 1, r.count("host/acme.localhost"))
		r.publish(t, "acme")
		time.Sleep(5 * time.Second)
		id, err := d.Host(t.Context(), "acme.localhost")
		require.NoError(t, err)
		assert.Equal(t, tenants.ID("acme"), id)
	})
}

func TestFailuresAreNotRemembered(t *testing.T) {
	r := newReader(t, "acme")
	d := tenants.NewDirectory(r, nil)
	r.how = func(context.Context, string) error { return errors.New("KV is down") }
	_, err := d.Config(t.Context(), "acme")
	assert.Equal(t, "directory_unavailable", fault.As(err).Code)
	assert.True(t, fault.Retryable(err))
	r.how = nil
	_, err = d.Config(t.Context(), "acme")
	assert.NoError(t, err)
}

func TestWhatCannotBeReadIsInternal(t *testing.T) {
	for name, entries := range map[string]tenants.Entries{
		"no JSON":          {"config/acme": []byte("{")},
		"invalid":          {"config/acme": []byte(`{"id":"acme"}`)},
		"another tenant's": {"config/acme": []byte(`{"id":"globex","name":"Globex"}`)},
	} {
		_, err := tenants.NewDirectory(entries, nil).Config(t.Context(), "acme")
		require.Error(t, err, name)
		assert.Equal(t, fault.Internal, fault.KindOf(err), name)
	}
	d := tenants.NewDirectory(tenants.Entries{"host/a.b": []byte("../x"), "key/" + tenants.HashKey("k"): []byte(`{"tenant":""}`)}, nil)
	_, err := d.Host(t.Context(), "a.b")
	assert.Equal(t, "entry_invalid", fault.As(err).Code)
	_, err = d.Key(t.Context(), tenants.HashKey("k"))
	assert.Equal(t, "entry_invalid", fault.As(err).Code)
}

func TestNamesThatCannotExistAreNotLookedUp(t *testing.T) {
	r := newReader(t)
	d := tenants.NewDirectory(r, nil)
	for _, host := range []string{"", "A.b", "a.b:80", "a/b", strings.Repeat("a", 600)} {
		_, err := d.Host(t.Context(), host)
		assert.Equal(t, "tenant_not_found", fault.As(err).Code)
	}
	for _, id := range []tenants.ID{"", "../hash", "A", tenants.ID(strings.Repeat("a", 600))} {
		_, err := d.Config(t.Context(), id)
		assert.Equal(t, "tenant_not_found", fault.As(err).Code)
	}
	for _, hash := range []string{"", "lv_acme_x", strings.Repeat("g", 64)} {
		_, err := d.Key(t.Context(), hash)
		assert.Equal(t, "unauthorized", fault.As(err).Code)
	}
	assert.Empty(t, r.reads)
}

func TestConcurrentMissesShareOneRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReader(t, "acme")
		r.how = func(context.Context, string) error { time.Sleep(time.Second); return nil }
		d := tenants.NewDirectory(r, nil)
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() {
				_, err := d.Config(t.Context(), "acme")
				assert.NoError(t, err)
			})
		}
		all.Wait()
		assert.Equal(t, 1, r.count("config/acme"))
	})
}

func TestAWaitingCallerHonoursItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReader(t, "acme")
		r.how = func(context.Context, string) error { time.Sleep(time.Minute); return nil }
		d := tenants.NewDirectory(r, nil)
		go func() { _, _ = d.Config(t.Context(), "acme") }()
		synctest.Wait()

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		_, err := d.Config(ctx, "acme")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, fault.Unavailable, fault.KindOf(err))
		assert.Equal(t, time.Second, time.Since(start))
		time.Sleep(time.Minute)
	})
}

func TestAnotherCallerReadsWhenTheFirstGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReader(t, "acme")
		r.how = func(ctx context.Context, _ string) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Second):
				return nil
			}
		}
		d := tenants.NewDirectory(r, nil)
		ctx, leave := context.WithCancel(t.Context())
		first := make(chan error)
		go func() {
			_, err := d.Config(ctx, "acme")
			first <- err
		}()
		synctest.Wait()
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				_, err := d.Config(t.Context(), "acme")
				assert.NoError(t, err)
			})
		}
		synctest.Wait()
		leave()
		assert.ErrorIs(t, <-first, context.Canceled)
		all.Wait()
		assert.Equal(t, 2, r.count("config/acme"))
	})
}

func TestAPanicLeavesNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReader(t, "acme")
		first := true
		r.how = func(context.Context, string) error {
			if first {
				first = false
				time.Sleep(time.Second)
				panic("binding")
			}
			return nil
		}
		d := tenants.NewDirectory(r, nil)
		go func() {
			defer func() { assert.Equal(t, "binding", recover()) }()
			_, _ = d.Config(t.Context(), "acme")
		}()
		synctest.Wait()
		_, err := d.Config(t.Context(), "acme")
		assert.NoError(t, err)
	})
}

func TestAFloodOfUnknownNamesPushesOutNoTenantInUse(t *testing.T) {
	r := newReader(t, "acme")
	d := tenants.NewDirectory(r, &tenants.DirectoryOptions{Entries: 100})
	for i := range 10_000 {
		_, err := d.Host(t.Context(), fmt.Sprintf("h%d.example", i))
		require.Error(t, err)
		if i%10 == 0 {
			_, err := d.Config(t.Context(), "acme")
			require.NoError(t, err)
		}
	}
	assert.Equal(t, 1, r.count("config/acme"))
	assert.Equal(t, 1, r.count("host/h0.example"))
	_, err := d.Host(t.Context(), "h0.example")
	require.Error(t, err)
	assert.Equal(t, 2, r.count("host/h0.example"), "the old ones are forgotten: the cache is bounded")
}

func TestTheClockIsPassedIn(t *testing.T) {
	now := time.Unix(0, 0)
	r := newReader(t, "acme")
	d := tenants.NewDirectory(r, &tenants.DirectoryOptions{Now: func() time.Time { return now }, TTL: time.Minute})
	for range 3 {
		_, err := d.Config(t.Context(), "acme")
		require.NoError(t, err)
		now = now.Add(30 * time.Second)
	}
	assert.Equal(t, 2, r.count("config/acme"))
}
