package deploy

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"levada.dev/infra/deploy/account"
	"levada.dev/tenants"
)

// The tenants' namespace holds what is published, each with its digest as metadata, so that one list tells what differs; and below
// ownKeys the releases.
const (
	tenantsNamespace = "config"
	ownKeys          = "levada/"
)

// entryMark is the metadata of an entry.
type entryMark struct {
	Digest string `json:"sha256"`
}

func markOf(value []byte) entryMark {
	sum := sha256.Sum256(value)
	return entryMark{Digest: hex.EncodeToString(sum[:8])}
}

// pair is an entry as the API takes it in bulk.
type pair struct {
	Key      string `json:"key"`
	Value    string `json:"value"`
	Base64   bool   `json:"base64,omitempty"`
	Metadata any    `json:"metadata,omitempty"`
}

const (
	keysPage  = 1000
	bulkPairs = 5000 // the API takes 10,000, and 100 MB
)

// readPublished lists what is published.
func (l *live) readPublished(ctx context.Context, a *account.Account, d *Desired) error {
	id := l.namespaces[d.Unit.Name(tenantsNamespace)]
	if id == "" {
		return nil
	}
	type key struct {
		Name     string     `json:"name"`
		Metadata *entryMark `json:"metadata"`
	}
	return account.Pages(ctx, a, a.Path("storage", "kv", "namespaces", id, "keys")+fmt.Sprintf("?limit=%d", keysPage), func(page []key) {
		for _, k := range page {
			l.holds = true
			l.namesake = l.namesake || k.Name == releaseKey(d.Release)
			if !strings.HasPrefix(k.Name, ownKeys) {
				l.published[k.Name] = entryMark{}
				if k.Metadata != nil {
					l.published[k.Name] = *k.Metadata
				}
			}
		}
	})
}

// tenants plans what is published: after the code that reads it.
func (p *planner) tenants() {
	if p.desired.Tenants == nil {
		return
	}
	changed, gone := unpublished(p.desired.Tenants, p.live.published)
	a := Action{Kind: "tenants", Name: p.Unit.Name(tenantsNamespace), do: func(ctx context.Context, r *run) error {
		return r.publish(ctx, p.desired.Tenants, changed, gone)
	}}
	for _, key := range changed {
		a.parts = append(a.parts, "write "+key)
	}
	for _, key := range gone {
		a.parts = append(a.parts, "take away "+key)
	}
	if n := len(changed) + len(gone); n > 0 {
		a.Why = []string{fmt.Sprintf("%s to write, %d to take away: %s", counted(len(changed), "entry", "entries"), len(gone), some(append(slices.Clone(changed), gone...)))}
	}
	if len(p.live.published) == 0 && len(changed) > 0 {
		a.Op = Create
		p.add(a)
		return
	}
	p.settle(a, p.live.manifest.Tenants == p.desired.Tenants.Hash())
}

// some names a few of many. The hashes of API keys and the like are cut.
func some(all []string) string {
	const few = 3
	var names []string
	for _, name := range all[:min(few, len(all))] {
		if len(name) > 40 {
			name = name[:16] + "…"
		}
		names = append(names, name)
	}
	if len(all) > few {
		names = append(names, "…")
	}
	return strings.Join(names, ", ")
}

// unpublished are the keys to write and to take away.
func unpublished(want tenants.Entries, have map[string]entryMark) (changed, gone []string) {
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if is, there := have[key]; !there || is != markOf(want[key]) {
			changed = append(changed, key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(have)) {
		if _, wanted := want[key]; !wanted {
			gone = append(gone, key)
		}
	}
	return changed, gone
}

// publish makes the namespace equal to the entries. The hash of them all comes last.
func (r *run) publish(ctx context.Context, entries tenants.Entries, changed, gone []string) error {
	var pairs []pair
	for _, key := range changed {
		if key != tenants.HashEntry {
			pairs = append(pairs, pair{Key: key, Value: string(entries[key]), Metadata: markOf(entries[key])})
		}
	}
	for some := range slices.Chunk(pairs, bulkPairs) {
		if err := r.writeKV(ctx, some); err != nil {
			return err
		}
	}
	if err := r.deleteKV(ctx, gone); err != nil {
		return err
	}
	return r.writeKV(ctx, []pair{{Key: tenants.HashEntry, Value: entries.Hash(), Metadata: markOf(entries[tenants.HashEntry])}})
}

func (r *run) namespace() string { return r.namespaces.id(r.plan.Unit.Name(tenantsNamespace)) }

// writeKV writes pairs; a bulk write that is answered with success may have left some out.
func (r *run) writeKV(ctx context.Context, pairs []pair) error {
	var answer struct {
		Unsuccessful []string `json:"unsuccessful_keys"`
	}
	path := r.account.Path("storage", "kv", "namespaces", r.namespace(), "bulk")
	if err := r.account.Do(ctx, http.MethodPut, path, pairs, &answer); err != nil {
		return err
	}
	if len(answer.Unsuccessful) > 0 {
		return fmt.Errorf("%d entries were not written, such as %s: deploy again", len(answer.Unsuccessful), some(answer.Unsuccessful))
	}
	return nil
}
