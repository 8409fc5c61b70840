package deploy

import (
	"context"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"levada.dev/infra/deploy/account"
)

// keptReleases is how many releases are kept to go back to. An account deploys the newest hundred versions of a Worker, and a release that was
// tried again may have several.
const keptReleases = 50

// releaseMark is the metadata of a release's manifest, so that one list tells which are old and what they refer to.
type releaseMark struct {
	At      time.Time `json:"at"`
	Tenants string    `json:"tenants,omitempty"`
}

func (m *Manifest) pair() (pair, error) {
	text, err := json.Marshal(m)
	return pair{Key: releaseKey(m.Release), Value: string(text), Metadata: releaseMark{m.At, m.Tenants}}, err
}

// prune takes away what is kept of releases beyond the newest, and the configurations that no kept one refers to. The live release and
// those before it stay, however old they are: they are what a way back leads to.
func (r *run) prune(ctx context.Context, noted *Manifest) error {
	releases, entries, err := r.keptKeys(ctx)
	if err != nil || len(releases) <= keptReleases {
		return err
	}
	if err := r.readMarks(ctx, releases); err != nil {
		return err
	}
	was := &r.plan.live.manifest
	needed := map[string]bool{noted.Tenants: true, was.Tenants: true}
	newest := slices.SortedFunc(maps.Keys(releases), func(x, y string) int {
		if c := releases[y].At.Compare(releases[x].At); c != 0 {
			return c
		}
		return strings.Compare(y, x)
	})
	var old, orphans []string
	for i, name := range newest {
		if i < keptReleases || slices.Contains([]string{noted.Release, noted.Before, was.Release, was.Before}, name) {
			needed[releases[name].Tenants] = true
		} else {
			old = append(old, releaseKey(name))
		}
	}
	for _, hash := range entries {
		if !needed[hash] {
			orphans = append(orphans, entriesKey(hash))
		}
	}
	for _, keys := range [][]string{old, orphans} { // in this order no release is kept without its configuration
		if err := r.deleteKV(ctx, keys); err != nil {
			return err
		}
	}
	return nil
}

// keptKeys are the releases that are kept, with their marks where they have any, and the hashes of the configurations.
func (r *run) keptKeys(ctx context.Context) (releases map[string]*releaseMark, entries []string, err error) {
	type key struct {
		Name     string       `json:"name"`
		Metadata *releaseMark `json:"metadata"`
	}
	releases = map[string]*releaseMark{}
	path := r.account.Path("storage", "kv", "namespaces", r.namespace(), "keys") + "?" + url.Values{"prefix": {ownKeys}, "limit": {strconv.Itoa(keysPage)}}.Encode()
	err = account.Pages(ctx, r.account, path, func(page []key) {
		for _, k := range page {
			if name, is := strings.CutPrefix(k.Name, releaseKey("")); is {
				releases[name] = k.Metadata
			}
			if hash, is := strings.CutPrefix(k.Name, entriesKey("")); is {
				entries = append(entries, hash)
			}
		}
	})
	return releases, entries, err
}

// readMarks fills in those of releases that were noted without.
func (r *run) readMarks(ctx context.Context, releases map[string]*releaseMark) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for name, mark := range releases {
		if mark != nil && !mark.At.IsZero() {
			continue
		}
		mark = &releaseMark{}
		releases[name] = mark
		group.Go(func() error {
			var m Manifest
			_, err := readKey(ctx, r.account, r.namespace(), releaseKey(name), &m)
			mark.At, mark.Tenants = m.At, m.Tenants
			return err
		})
	}
	return group.Wait()
}

// deleteKV takes keys away.
func (r *run) deleteKV(ctx context.Context, keys []string) error {
	path := r.account.Path("storage", "kv", "namespaces", r.namespace(), "bulk", "delete")
	for some := range slices.Chunk(keys, bulkPairs) {
		if err := r.account.Set(ctx, path, some, nil); err != nil {
			return err
		}
	}
	return nil
}
