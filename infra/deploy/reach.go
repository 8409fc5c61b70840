package deploy

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"levada.dev/infra/deploy/account"
	"levada.dev/infra/stack"
)

// readReach finds out which of the versions that are gone back to the account does not deploy any more, and why. It refuses that itself, but
// only when other Workers may have gone back already.
func (l *live) readReach(ctx context.Context, a *account.Account, d *Desired) error {
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for role, v := range d.Versions {
		s := l.scripts[d.Unit.Script(role)]
		if s == nil {
			continue
		}
		if now, whole := s.whole(); whole && now == v.ID {
			continue // it stays where it is
		}
		group.Go(func() error {
			why, err := l.reach(ctx, a, s.Name, v.ID)
			mu.Lock()
			defer mu.Unlock()
			if why != "" {
				l.unreachable[s.Name] = why
			}
			return err
		})
	}
	return group.Wait()
}

// reach says why a version cannot be deployed; nothing when it can.
func (l *live) reach(ctx context.Context, a *account.Account, script, version string) (string, error) {
	at := a.Path("workers", "scripts", script, "versions")
	var list struct{ Items []liveVersion }
	if err := a.Get(ctx, at+"?deployable=true", &list); err != nil {
		return "", err
	}
	if !slices.ContainsFunc(list.Items, func(v liveVersion) bool { return v.ID == version }) {
		return fmt.Sprintf("version %.8s is not one of the newest %d, which alone can be deployed: deploy that code again, as a release of its own", version, deployable), nil
	}
	var v liveVersion
	if err := a.Get(ctx, at+"/"+version, &v); err != nil {
		return "", err
	}
	ids := slices.Collect(maps.Values(l.namespaces))
	for _, b := range v.Resources.Bindings {
		if id, _ := b["namespace_id"].(string); b["type"] == string(stack.KV) && !slices.Contains(ids, id) {
			return fmt.Sprintf("version %.8s is bound as %v to a KV namespace that is gone, and no version gets another one: deploy that code again, as a release of its own", version, b["name"]), nil
		}
	}
	return "", nil
}

// deployable is how many of a Worker's versions can be deployed: the newest.
// https://developers.cloudflare.com/workers/configuration/versions-and-deployments/
const deployable = 100
