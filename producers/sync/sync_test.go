package sync

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/job"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// clerk opens imports, each once.
type clerk struct {
	opened map[string]imports.Import // by tenant and id
	asked  int
	err    map[tenants.ID]error
}

func (c *clerk) OpenImport(_ context.Context, s tenants.Scope, im imports.Import) (job.Job, error) {
	c.asked++
	if err := c.err[s.Tenant()]; err != nil {
		return job.Job{}, err
	}
	if _, known := c.opened[s.Key(im.ID)]; !known {
		c.opened[s.Key(im.ID)] = im
	}
	return job.Job{ID: im.ID, State: job.Queued}, nil
}

func sources(every int) []tenants.Source {
	return []tenants.Source{
		{ID: "site", Sync: &tenants.Sync{Sitemap: "https://a.example/sitemap.xml", EveryMinutes: every}},
		{ID: "pages", Sync: &tenants.Sync{URLs: []string{"https://a.example/1", "https://a.example/2"}, EveryMinutes: every}},
		{ID: "hooks", Webhook: &tenants.Webhook{Secrets: []string{"hooks-1"}}},
	}
}

func newSyncer(t *testing.T, every int) (*Syncer, *clerk) {
	directory, _ := tenantstest.Directory(t,
		tenantstest.Config(t, "acme", func(c *tenants.Config) { c.Sources = sources(every) }),
		tenantstest.Config(t, "globex", func(c *tenants.Config) { c.Sources = sources(every)[:1] }),
		tenantstest.Config(t, "initech", nil))
	c := &clerk{opened: map[string]imports.Import{}, err: map[tenants.ID]error{}}
	return New(directory.(Pool), c, slog.New(slog.DiscardHandler)), c
}

// Through a day, asked every five minutes, and twice each time, each source is imported once an interval.
func TestEachSourceOnceASlot(t *testing.T) {
	for every, slots := range map[int]int{60: 24, 180: 8, 1440: 1} {
		y, c := newSyncer(t, every)
		for at := noon; at.Before(noon.Add(24 * time.Hour)); at = at.Add(5 * time.Minute) {
			require.NoError(t, y.Sync(t.Context(), at))
			require.NoError(t, y.Sync(t.Context(), at.Add(20*time.Second)))
		}
		of := map[string]int{}
		for key, im := range c.opened {
			of[key[:len("t/acme")]+" "+im.Source]++
		}
		for _, n := range []int{of["t/acme site"], of["t/acme pages"], of["t/glob site"]} {
			assert.InDelta(t, slots, n, 1, "every %d minutes: a day may begin in the middle of a slot", every)
		}
		assert.Len(t, of, 3)
	}
}

func TestAMissedScheduleIsMadeUpFor(t *testing.T) {
	y, c := newSyncer(t, 60)
	due, _ := slotAt("acme", "site", time.Hour, noon)
	for _, late := range []time.Duration{0, time.Minute, 29 * time.Minute} {
		require.NoError(t, y.Sync(t.Context(), due.begins.Add(late)))
	}
	assert.Contains(t, c.opened, tenantstest.Scope(t, "acme").Key(due.id()))
	_, open := slotAt("acme", "site", time.Hour, due.begins.Add(31*time.Minute))
	assert.False(t, open)
}

func TestWhatIsOpened(t *testing.T) {
	y, c := newSyncer(t, 5) // always open
	require.NoError(t, y.Sync(t.Context(), noon))
	require.Len(t, c.opened, 3)
	acme := tenantstest.Scope(t, "acme")
	due, open := slotAt("acme", "pages", 5*time.Minute, noon)
	require.True(t, open)
	assert.Equal(t, imports.Import{
		ID: due.id(), Origin: imports.Origin{URLs: []string{"https://a.example/1", "https://a.example/2"}}, Source: "pages", Entries: 2, Cause: c.opened[acme.Key(due.id())].Cause,
	}, c.opened[acme.Key(due.id())])
}

func TestIDs(t *testing.T) {
	seen := map[string]bool{}
	for _, tenant := range []tenants.ID{"acme", "globex"} {
		for _, source := range []string{"a", "b"} {
			last := ""
			for n := range 5 {
				s, _ := slotAt(tenant, source, time.Hour, noon.Add(time.Duration(n)*time.Hour))
				id, err := uuid.Parse(s.id())
				require.NoError(t, err)
				assert.Equal(t, []any{uuid.Version(7), uuid.RFC4122}, []any{id.Version(), id.Variant()})
				sec, _ := id.Time().UnixTime()
				assert.Equal(t, s.begins.Unix(), sec)
				assert.Greater(t, s.id(), last, "in the order of time")
				assert.False(t, seen[s.id()])
				last, seen[s.id()] = s.id(), true
			}
		}
	}
}

func TestATenantDoesNotHoldUpTheOthers(t *testing.T) {
	y, c := newSyncer(t, 5)
	down := fault.Unavailablef(errors.New("reset"), "object_unavailable", "it does not answer")
	c.err["acme"] = down
	err := y.Sync(t.Context(), noon)
	assert.ErrorIs(t, err, down)
	assert.ErrorContains(t, err, "tenant acme: source site")
	assert.Len(t, c.opened, 1, "globex's")

	c.err["acme"] = fault.New(fault.Limited, "backlog_full", "later", nil)
	assert.NoError(t, y.Sync(t.Context(), noon), "it comes again")
	c.err["acme"] = nil
	require.NoError(t, y.Sync(t.Context(), noon))
	assert.Len(t, c.opened, 3)
}
