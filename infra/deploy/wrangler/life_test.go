package wrangler

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"levada.dev/infra/deploy/double"
	"levada.dev/infra/stack"
)

// The real wrangler makes a pool's resources and deploys its Workers by the commands that this package says, again and by degrees, and back.
// It is also what keeps the double honest: whatever wrangler sends is right.
func TestWranglerDeploysThePool(t *testing.T) {
	t.Parallel()
	p := everything()
	p.Namespaces = nil
	api, url := world(t)
	l := newLab(t, &p, api, url, "acme")
	l.write(t, "secrets.env", "SEAL_KEY=first\n")
	front, behind := p.configured("front"), p.configured("behind")
	const script = "acme-prod-front"

	l.create(t)
	made := l.since()
	assert.Equal(t, []string{
		"POST /queues", "POST /queues", "POST /r2/buckets", "POST /storage/kv/namespaces", "POST /storage/kv/namespaces", "POST /vectorize/v2/indexes",
		"POST /vectorize/v2/indexes/acme-prod-small/metadata_index/create",
	}, l.writes(made))

	deploys, err := p.Deploy()
	require.NoError(t, err)
	require.Len(t, deploys, 2)
	l.must(t, deploys[0].Args...)
	withSecrets := append(slices.Clone(deploys[1].Args), "--secrets-file", "secrets.env")
	out, err := l.wrangler(t, "", withSecrets...)
	require.Error(t, err, "a namespace's id is missing")
	assert.Contains(t, out, "<id of acme-prod-config>")
	p.Namespaces = l.namespaces(t)
	l.rewrite(t)
	out, err = l.wrangler(t, "", deploys[1].Args...)
	require.Error(t, err, "a secret is missing")
	assert.Contains(t, out, "The following required secrets have not been set: SEAL_KEY")
	l.must(t, withSecrets...)
	made = append(made, l.since()...)
	l.assertDeployed(t)
	ours, seen := newDeployer(t, l, "acme"), map[string]bool{}
	agree(t, onWire(made, l.ids(t)), onWire(ours.deploy(t, "v1"), ours.ids(t)), seen)
	l.since()

	l.build(t, p.Stack, "front", "two")
	l.must(t, "deploy", "--config", front)
	again := l.since()
	assert.Subset(t, l.writes(again), []string{"POST /workers/scripts/" + script + "/versions", "POST /workers/scripts/" + script + "/deployments"}, "a version, and then its deployment")
	agree(t, onWire(again, l.ids(t)), onWire(ours.deploy(t, "v2"), ours.ids(t)), seen)
	l.edit(func(a *double.Account) { assert.True(t, a.HasSecret(script, "SEAL_KEY", "first"), "it stays") })
	_, err = l.wrangler(t, "second", "secret", "put", "SEAL_KEY", "--config", front)
	require.NoError(t, err)
	l.edit(func(a *double.Account) { assert.True(t, a.HasSecret(script, "SEAL_KEY", "second")) })
	l.since()

	p.Stack.Objects = append(p.Stack.Objects, stack.Object{Class: "Leaf", Role: "behind"})
	l.rewrite(t)
	l.build(t, p.Stack, "behind", "two")
	l.must(t, "deploy", "--config", behind)
	whole := onWire(l.since(), l.ids(t))
	assert.Equal(t, `"v3"`, whole["PUT /workers/scripts/acme-prod-behind metadata migrations old_tag"])
	assert.Equal(t, `"Leaf"`, whole["PUT /workers/scripts/acme-prod-behind metadata migrations steps 0 new_sqlite_classes 0"], "the class that is new, alone")
	ours.desired.Stack = p.Stack
	agree(t, whole, onWire(ours.deploy(t, "v3"), ours.ids(t)), seen)
	for _, m := range meant {
		assert.True(t, seen[m.place], "no longer a difference: %s (%s)", m.place, m.why)
	}
	ours.still(t)

	l.canary(t, front, script)
	l.look(t, front)
	l.others(t, front)
}

// create runs the commands for what has to be there: each resource's in their order, and the resources beside each other.
func (l *lab) create(t *testing.T) {
	t.Helper()
	var group errgroup.Group
	group.SetLimit(2)
	for _, n := range l.pool.needs() {
		group.Go(func() error {
			for _, s := range n.steps {
				if len(s.Args) == 0 {
					continue
				}
				if out, err := l.wrangler(t, "", s.Args...); err != nil {
					return fmt.Errorf("%s: %w\n%s", s, err, out)
				}
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
}

func (l *lab) edit(edit func(*double.Account)) { l.api.Edit(l.account, edit) }

// assertDeployed looks whether the account has all of the table.
func (l *lab) assertDeployed(t *testing.T) {
	t.Helper()
	l.edit(func(a *double.Account) {
		assert.Equal(t, []string{"acme-prod-behind", "acme-prod-front"}, a.Scripts())
		assert.True(t, a.HasSecret("acme-prod-front", "SEAL_KEY", "first"))
	})
	type any = map[string]interface{}
	var queues []struct {
		Name      string `json:"queue_name"`
		Consumers []any
	}
	l.get(t, "/queues", &queues)
	for _, q := range queues {
		if q.Name == "acme-prod-work" {
			require.Len(t, q.Consumers, 1)
			assert.Equal(t, "acme-prod-work-dlq", q.Consumers[0]["dead_letter_queue"])
			assert.Equal(t, any{"batch_size": 7.0, "max_retries": 5.0, "max_wait_time_ms": 3000.0, "max_concurrency": 2.0, "retry_delay": 60.0}, q.Consumers[0]["settings"])
		}
	}
	var workflow any
	l.get(t, "/workflows/acme-prod-long-run", &workflow)
	assert.Subset(t, workflow, any{"script_name": "acme-prod-behind", "class_name": "LongRun"})
	var crons struct{ Schedules []any }
	l.get(t, "/workers/scripts/acme-prod-front/schedules", &crons)
	require.Len(t, crons.Schedules, 1)
	assert.Equal(t, "*/5 * * * *", crons.Schedules[0]["cron"])
	var domains []any
	l.get(t, "/workers/domains", &domains)
	require.Len(t, domains, 1)
	assert.Subset(t, domains[0], any{"hostname": "api.acme.example", "service": "acme-prod-front"})
	var dev any
	l.get(t, "/workers/scripts/acme-prod-front/subdomain", &dev)
	assert.Subset(t, dev, any{"enabled": true, "previews_enabled": false})
	l.get(t, "/workers/scripts/acme-prod-behind/subdomain", &dev)
	assert.Subset(t, dev, any{"enabled": false})
}

// canary has a version get a part of the traffic, then all of it, and then goes back.
func (l *lab) canary(t *testing.T, config, script string) {
	t.Helper()
	live := func() (shares map[string]float64) {
		l.edit(func(a *double.Account) { shares = a.Live(script) })
		return shares
	}
	var before, next string
	for id := range live() {
		before = id
	}
	l.build(t, l.pool.Stack, "front", "three")
	l.must(t, "versions", "upload", "--config", config, "--tag", "v3")
	assert.Equal(t, map[string]float64{before: 100}, live(), "an upload alone changes nothing")
	l.edit(func(a *double.Account) {
		all := a.Versions(script)
		next = all[len(all)-1]
	})
	l.must(t, "versions", "deploy", next+"@10%", before+"@90%", "--yes", "--config", config)
	assert.Equal(t, map[string]float64{before: 90, next: 10}, live())
	out := l.must(t, "deployments", "status", "--config", config)
	assert.Contains(t, out, next)
	assert.Contains(t, out, before)
	l.must(t, "versions", "deploy", next+"@100%", "--yes", "--config", config)
	assert.Equal(t, map[string]float64{next: 100}, live())
	l.must(t, "rollback", before, "--yes", "--message", "back", "--config", config)
	assert.Equal(t, map[string]float64{before: 100}, live())
}

// look runs what only looks.
func (l *lab) look(t *testing.T, config string) {
	t.Helper()
	l.since()
	var group errgroup.Group
	group.SetLimit(2)
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"queues", "info", "acme-prod-work"}, []string{"acme-prod-behind", "acme-prod-front"}},
		{[]string{"secret", "list", "--config", config}, []string{"SEAL_KEY", "secret_text"}},
		{[]string{"workflows", "list"}, []string{"acme-prod-long-run", "acme-prod-behind", "LongRun"}},
		{[]string{"vectorize", "list-metadata-index", "acme-prod-small"}, []string{"docId"}},
	} {
		group.Go(func() error {
			out, err := l.wrangler(t, "", c.args...)
			for _, want := range c.want {
				assert.Contains(t, out, want, c.args)
			}
			assert.NotContains(t, out, "second", "the secret")
			return err
		})
	}
	require.NoError(t, group.Wait())
	assert.Empty(t, l.writes(l.since()))
}

// others has the token of another tenant deploy here, and the crons changed alone.
func (l *lab) others(t *testing.T, config string) {
	t.Helper()
	mine := l.env
	l.env = l.login("token of beta")
	out, err := l.wrangler(t, "", "deploy", "--config", config)
	require.Error(t, err)
	assert.Contains(t, out, "Authentication error")
	assert.Empty(t, l.writes(l.since()))
	l.env = mine
	l.pool.Stack.Workers[0].Crons = nil
	l.rewrite(t)
	l.must(t, "triggers", "deploy", "--config", config)
	var crons struct{ Schedules []any }
	l.get(t, "/workers/scripts/acme-prod-front/schedules", &crons)
	assert.Empty(t, crons.Schedules, "those of before are gone")
}
