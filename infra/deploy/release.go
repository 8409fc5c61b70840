package deploy

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"levada.dev/infra/deploy/account"
	"levada.dev/infra/stack"
	"levada.dev/tenants"
)

// Manifest is what a release was: enough to go back to it. It is kept in the pool's own KV.
type Manifest struct {
	Release string                 `json:"release"`
	Before  string                 `json:"before,omitempty"` // the release that was live before it
	At      time.Time              `json:"at"`
	Stack   stack.Stack            `json:"stack"`
	Workers map[stack.Role]Version `json:"workers"`
	Tenants string                 `json:"tenants,omitempty"` // the hash of what was published; the entries are kept under it
}

// The keys of what is kept.
func releaseKey(name string) string { return ownKeys + "release/" + name }
func entriesKey(hash string) string { return ownKeys + "tenants/" + hash }

const currentKey = ownKeys + "current" // the manifest of the release that is live

// readManifest reads that of the live release; before the first one it stays empty.
func (l *live) readManifest(ctx context.Context, a *account.Account, d *Desired) error {
	_, err := readKey(ctx, a, l.namespaces[d.Unit.Name(tenantsNamespace)], currentKey, &l.manifest)
	return err
}

// readKept reads the release that is kept under the name of the one that is wanted, if there is one and it is not the live one.
func (l *live) readKept(ctx context.Context, a *account.Account, d *Desired) error {
	if !l.namesake || d.Release == l.manifest.Release || d.Versions != nil {
		return nil
	}
	_, err := readKey(ctx, a, l.namespaces[d.Unit.Name(tenantsNamespace)], releaseKey(d.Release), &l.kept)
	return err
}

// readKey reads JSON from a namespace, if it is there.
func readKey(ctx context.Context, a *account.Account, namespace, key string, out any) (found bool, err error) {
	if namespace == "" {
		return false, nil
	}
	value, err := a.GetRaw(ctx, a.Path("storage", "kv", "namespaces", namespace, "values", key))
	if account.IsStatus(err, http.StatusNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := json.Unmarshal(value, out); err != nil {
		return false, fmt.Errorf("%s of the pool's namespace is damaged: %w", key, err)
	}
	return true, nil
}

// burnt reports whether a kept release was never live: its note was begun upon the one that is live, and nothing was noted since. A note has
// two writes, and whoever was stopped between them has left its name to be used.
func (m *Manifest) burnt(live *Manifest) bool {
	return m.Release != "" && m.Before == live.Release && m.At.After(live.At)
}

// note keeps what the release was. It is the last thing a deployment writes, so whoever finds it finds all of it.
func (r *run) note(ctx context.Context) error {
	d := r.plan.desired
	m := Manifest{Release: d.Release, At: r.now().UTC(), Stack: d.Stack, Workers: map[stack.Role]Version{}, Tenants: r.plan.live.manifest.Tenants}
	if before := r.plan.live.manifest.At; !m.At.After(before) {
		m.At = before.Add(time.Millisecond) // the clock of whoever noted that is ahead: what was noted later is told by the time
	}
	switch live := r.plan.live.manifest; {
	case d.Versions != nil:
		m.Before = d.Before
	case live.Release == m.Release:
		m.Before = live.Before
	default:
		m.Before = live.Release
	}
	for _, w := range d.Stack.Workers {
		v, err := r.deployed(ctx, w)
		if err != nil {
			return err
		}
		m.Workers[w.Role] = v
	}
	var pairs []pair
	if d.Tenants != nil {
		m.Tenants = d.Tenants.Hash()
		text, err := json.Marshal(d.Tenants)
		if err != nil {
			return err
		}
		pairs = append(pairs, pair{Key: entriesKey(m.Tenants), Value: string(text)})
	}
	note, err := m.pair()
	if err != nil {
		return err
	}
	if err := r.writeKV(ctx, append(pairs, note)); err != nil {
		return err
	}
	if err := r.writeKV(ctx, []pair{{Key: currentKey, Value: note.Value}}); err != nil {
		return err
	}
	if err := r.prune(ctx, &m); err != nil {
		r.tell("old releases are kept for now: " + err.Error()) // the next deployment takes them away
	}
	return nil
}

// deployed is the version of a Worker that has all the traffic now.
func (r *run) deployed(ctx context.Context, w stack.Worker) (Version, error) {
	script := r.plan.Unit.Script(w.Role)
	now, err := shares(ctx, r.account, script)
	if err != nil {
		return Version{}, err
	}
	if len(now) != 1 {
		return Version{}, fmt.Errorf("%s: its traffic is divided between %d versions, so there is no release: somebody else deploys, too", script, len(now))
	}
	v := Version{ID: now[0].Version, Spec: r.plan.desired.spec(w), Secrets: r.plan.desired.fingerprint(w)}
	if left, ok := r.plan.left[w.Role]; ok {
		v.Spec, v.Secrets = left, ""
	}
	expected := r.to[w.Role]
	if s := r.plan.live.scripts[script]; s != nil {
		if v.Secrets == "" {
			v.Secrets = tag(s.Tags, "secrets") // they were not given, so it kept those it had
		}
		if whole, ok := s.whole(); ok && expected == "" {
			expected = whole
		}
	}
	if expected != "" && v.ID != expected {
		return Version{}, fmt.Errorf("%s: version %.8s is deployed, not %.8s: somebody else deploys, too", script, v.ID, expected)
	}
	return v, nil
}

// Releases are the names of the releases that are kept, the newest last, and the manifest of the one that is live. Before the first there is
// none. Of those that were noted without their time it is not known; they come first.
func Releases(ctx context.Context, a *account.Account, u Unit) (names []string, current Manifest, err error) {
	id, err := findNamespace(ctx, a, u)
	if err != nil || id == "" {
		return nil, Manifest{}, err
	}
	type key struct {
		Name     string
		Metadata releaseMark
	}
	noted := map[string]time.Time{}
	prefix := releaseKey("")
	path := a.Path("storage", "kv", "namespaces", id, "keys") + "?" + url.Values{"prefix": {prefix}, "limit": {strconv.Itoa(keysPage)}}.Encode()
	err = account.Pages(ctx, a, path, func(page []key) {
		for _, k := range page {
			name := strings.TrimPrefix(k.Name, prefix)
			names, noted[name] = append(names, name), k.Metadata.At
		}
	})
	if err != nil {
		return nil, Manifest{}, err
	}
	slices.SortStableFunc(names, func(x, y string) int { return noted[x].Compare(noted[y]) })
	_, err = readKey(ctx, a, id, currentKey, &current)
	return names, current, err
}

// findNamespace is the id of the namespace that keeps the releases; empty when there is none.
func findNamespace(ctx context.Context, a *account.Account, u Unit) (string, error) {
	l := &live{namespaces: map[string]string{}}
	err := l.readNamespaces(ctx, a, nil)
	return l.namespaces[u.Name(tenantsNamespace)], err
}

// readEntries reads what was published with a release.
func readEntries(ctx context.Context, a *account.Account, namespace, hash string) (tenants.Entries, error) {
	var entries tenants.Entries
	found, err := readKey(ctx, a, namespace, entriesKey(hash), &entries)
	if err == nil && !found {
		err = fmt.Errorf("the tenants' configuration of that release is not kept any more")
	}
	return entries, err
}
