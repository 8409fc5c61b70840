package deploy

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"levada.dev/infra/deploy/account"
)

// live is what an account has, as far as a unit's plan needs it.
type live struct {
	queues     map[string]*liveQueue
	namespaces map[string]string // title -> id
	buckets    map[string]bool
	indexes    map[string]*liveIndex
	gateways   map[string]json.RawMessage
	workflows  map[string]liveWorkflow
	scripts    map[string]*liveScript
	domains    map[string]liveDomain
	uncovered  map[string]bool // host names that are in no zone of the account
	routes     map[string]zoneRoutes
	subdomain  string

	published map[string]entryMark // what the tenants' namespace has
	holds     bool                 // it has something, be it ours
	manifest  Manifest             // of the release that is live
	well      map[string]Manifest  // the releases that deployed versions were uploaded for, empty when nobody noted them
	namesake  bool                 // a release of the name that is wanted is kept
	kept      Manifest             // that one, when it is not the live one
	released  names                // of what that release has and carries no tags
	record    record               // what is noted as the unit's; empty also when nobody has to know

	unreachable map[string]string // the Workers that cannot go back, and why
}

type liveQueue struct {
	ID        string         `json:"queue_id"`
	Name      string         `json:"queue_name"`
	Settings  *queueSettings `json:"settings"`
	Consumers []liveConsumer `json:"consumers"`
}

// parallel is how many requests a plan has on the way at a time.
const parallel = 6

// read asks the account for all of it.
func read(ctx context.Context, a *account.Account, d *Desired) (*live, error) {
	l := &live{
		queues: map[string]*liveQueue{}, namespaces: map[string]string{}, buckets: map[string]bool{}, indexes: map[string]*liveIndex{},
		gateways: map[string]json.RawMessage{}, workflows: map[string]liveWorkflow{}, scripts: map[string]*liveScript{},
		domains: map[string]liveDomain{}, uncovered: map[string]bool{}, routes: map[string]zoneRoutes{}, published: map[string]entryMark{},
		unreachable: map[string]string{},
	}
	first, ctx1 := errgroup.WithContext(ctx)
	first.SetLimit(parallel)
	for _, step := range []func(context.Context, *account.Account, *Desired) error{
		l.readQueues, l.readNamespaces, l.readBuckets, l.readIndexes, l.readGateways, l.readWorkflows, l.readScripts, l.readDomains, l.readRoutes, l.readSubdomain,
	} {
		first.Go(func() error { return step(ctx1, a, d) })
	}
	if err := first.Wait(); err != nil {
		return nil, err
	}
	second, ctx2 := errgroup.WithContext(ctx)
	second.SetLimit(parallel)
	second.Go(func() error { return l.readPublished(ctx2, a, d) })
	second.Go(func() error {
		if err := l.readManifest(ctx2, a, d); err != nil {
			return err
		}
		return l.readRoutes(ctx2, a, &Desired{Stack: l.manifest.Stack}) // of zones that are not wanted any more
	})
	for _, i := range d.Stack.Indexes {
		if index := l.indexes[d.Unit.Name(i.Name)]; index != nil {
			second.Go(func() error { return index.readProperties(ctx2, a) })
		}
	}
	for _, w := range d.Stack.Workers {
		if s := l.scripts[d.Unit.Script(w.Role)]; s != nil {
			second.Go(func() error { return s.read(ctx2, a) })
		}
	}
	if err := second.Wait(); err != nil {
		return nil, err
	}
	if err := l.readKept(ctx, a, d); err != nil {
		return nil, err
	}
	if err := l.readWell(ctx, a, d); err != nil {
		return nil, err
	}
	return l, l.readRecord(ctx, a, d)
}

func (l *live) readQueues(ctx context.Context, a *account.Account, _ *Desired) error {
	all, err := account.List[*liveQueue](ctx, a, a.Path("queues"))
	for _, q := range all {
		l.queues[q.Name] = q
	}
	return err
}

func (l *live) readNamespaces(ctx context.Context, a *account.Account, _ *Desired) error {
	all, err := account.List[struct{ ID, Title string }](ctx, a, a.Path("storage", "kv", "namespaces"))
	for _, n := range all {
		l.namespaces[n.Title] = n.ID
	}
	return err
}

// bucketsPage is the most that a page of buckets has.
const bucketsPage = 1000

// readBuckets lists those whose names have the unit's in them. Who wants no bucket need not be allowed to see any.
func (l *live) readBuckets(ctx context.Context, a *account.Account, d *Desired) error {
	q := url.Values{"name_contains": {d.Unit.Name("")}, "per_page": {strconv.Itoa(bucketsPage)}}
	err := account.Pages(ctx, a, a.Path("r2", "buckets")+"?"+q.Encode(), func(page struct{ Buckets []struct{ Name string } }) {
		for _, b := range page.Buckets {
			l.buckets[b.Name] = true
		}
	})
	if len(d.Stack.Buckets) == 0 && account.IsStatus(err, http.StatusForbidden, http.StatusNotFound) {
		return nil
	}
	return err
}

func (l *live) readGateways(ctx context.Context, a *account.Account, _ *Desired) error {
	all, err := account.List[json.RawMessage](ctx, a, a.Path("ai-gateway", "gateways"))
	for _, raw := range all {
		var g struct{ ID string }
		if err := json.Unmarshal(raw, &g); err != nil {
			return err
		}
		l.gateways[g.ID] = raw
	}
	return err
}

func (l *live) readWorkflows(ctx context.Context, a *account.Account, _ *Desired) error {
	all, err := account.List[liveWorkflow](ctx, a, a.Path("workflows"))
	for _, w := range all {
		l.workflows[w.Name] = w
	}
	return err
}

func (l *live) readScripts(ctx context.Context, a *account.Account, _ *Desired) error {
	var all []*liveScript
	err := a.Get(ctx, a.Path("workers", "scripts"), &all)
	for _, s := range all {
		l.scripts[s.Name] = s
	}
	return err
}

// liveDomain is where a host name leads.
type liveDomain struct {
	ID     string `json:"id"`
	Host   string `json:"hostname"`
	Script string `json:"service"`
}

func (l *live) readDomains(ctx context.Context, a *account.Account, d *Desired) error {
	var all []liveDomain
	if err := a.Get(ctx, a.Path("workers", "domains"), &all); err != nil {
		return err
	}
	for _, one := range all {
		l.domains[one.Host] = one
	}
	for _, host := range d.Stack.Domains {
		if l.domains[host].Script == "" {
			covered, err := zoneCovers(ctx, a, host)
			if err != nil {
				return err
			}
			l.uncovered[host] = !covered
		}
	}
	return nil
}

// zoneCovers reports whether the token sees a zone that a host name is in. Where it may see none at all the answer is yes: who knows better is
// asked when the domain is made.
func zoneCovers(ctx context.Context, a *account.Account, host string) (bool, error) {
	for name := host; strings.Contains(name, "."); _, name, _ = strings.Cut(name, ".") {
		var zones []struct{ ID string }
		err := a.Get(ctx, "zones?"+url.Values{"name": {name}, "account.id": {a.ID}}.Encode(), &zones)
		if account.IsStatus(err, http.StatusForbidden) || len(zones) > 0 {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
	var any []struct{ ID string }
	err := a.Get(ctx, "zones?"+url.Values{"account.id": {a.ID}, "per_page": {"1"}}.Encode(), &any)
	return len(any) == 0, err
}

// zoneRoutes are the routes of a zone.
type zoneRoutes struct {
	id  string // of the zone
	all []liveRoute
}

type liveRoute struct{ ID, Pattern, Script string }

func (l *live) readRoutes(ctx context.Context, a *account.Account, d *Desired) error {
	for _, r := range d.Stack.Routes {
		if _, known := l.routes[r.Zone]; known {
			continue
		}
		var zones []struct{ ID string }
		if err := a.Get(ctx, "zones?"+url.Values{"name": {r.Zone}}.Encode(), &zones); err != nil {
			return err
		}
		var z zoneRoutes
		if len(zones) > 0 {
			z.id = zones[0].ID
			if err := a.Get(ctx, account.Join("zones", z.id, "workers", "routes"), &z.all); err != nil {
				return err
			}
		}
		l.routes[r.Zone] = z
	}
	return nil
}

// readSubdomain finds out where workers.dev is for the account; one that never used it has none.
func (l *live) readSubdomain(ctx context.Context, a *account.Account, d *Desired) error {
	if !d.Stack.WorkersDev {
		return nil
	}
	var answer struct{ Subdomain string }
	err := a.Get(ctx, a.Path("workers", "subdomain"), &answer)
	if account.IsStatus(err, http.StatusNotFound) {
		return nil
	}
	l.subdomain = answer.Subdomain
	return err
}
